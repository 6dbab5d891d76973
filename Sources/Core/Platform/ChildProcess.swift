import CPlatform

/// A program that runs beside this one, with the signal mask that this process was started with: a child inherits blocked
/// signals otherwise, and Ctrl-C would not end it. It reads nothing.
package struct ChildProcess {
    package enum Ending: Sendable, Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    /// The operating system could not start the program or read its output.
    package struct StartFailure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Runs a program and waits until it ends.
    /// - Parameters:
    ///   - program: path of the executable
    ///   - arguments: without the program's name
    ///   - environment: `NAME` to value; nil: this process's own
    ///   - takesOutput: whether its standard output is returned instead of going to this process's
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, takesOutput: Bool = false
    ) throws(StartFailure) -> (ending: Ending, output: [UInt8]) {
        var pipe: [Int32] = [-1, -1]
        if takesOutput {
            guard unsafe pipe2(&pipe, O_CLOEXEC) == 0 else { throw failure("make a pipe for", program, errno) }
        }
        var process = pid_t()
        let status = spawn(program, arguments, environment, output: pipe[1], &process)
        if takesOutput { close(pipe[1]) }
        defer { if takesOutput { close(pipe[0]) } }
        guard status == 0 else { throw failure("start", program, status) }
        let output = takesOutput ? readAll(pipe[0]) : []
        guard let ending = ending(of: process, waiting: true) else { throw failure("wait for", program, errno) }
        return (ending, output)
    }

    /// A program that was started and runs on, in a process group of its own: what a terminal sends to this one's group does
    /// not reach it.
    package struct Running: Sendable {
        package let process: Int32

        /// How it ended; nil while it runs. Asked again after that, it is an error.
        package func ending() -> Ending? { ChildProcess.ending(of: process, waiting: false) }

        /// Sends a signal to the program alone, not to its group.
        package func send(_ signal: Int32) { kill(process, signal) }
    }

    /// Starts a program whose output and errors are added to a file.
    /// - Parameters:
    ///   - program: path of the executable
    ///   - arguments: without the program's name
    ///   - log: the file; made if it is missing
    package static func start(
        _ program: String, _ arguments: [String], log: String
    ) throws(StartFailure) -> Running {
        let file = unsafe open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw failure("write \(log) of", program, errno) }
        defer { close(file) }
        var process = pid_t()
        let status = spawn(program, arguments, nil, output: file, errors: file, leadsGroup: true, &process)
        guard status == 0 else { throw failure("start", program, status) }
        return Running(process: Int32(process))
    }

    private static func ending(of process: pid_t, waiting: Bool) -> Ending? {
        var status: Int32 = 0
        while true {
            let found = unsafe waitpid(process, &status, waiting ? 0 : WNOHANG)
            if found < 0, errno == EINTR { continue }
            guard found == process else { return nil }
            let signal = status & 0x7f
            return signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
        }
    }

    /// - Parameters:
    ///   - program: path of the executable
    ///   - arguments: without the program's name
    ///   - environment: nil: this process's own
    ///   - output: descriptor that becomes its standard output; −1: this process's
    ///   - errors: likewise
    ///   - leadsGroup: whether it gets a process group of its own
    ///   - process: its number
    /// - Returns: 0, or the number of an error
    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String]?, output: Int32,
        errors: Int32 = -1, leadsGroup: Bool = false, _ process: inout pid_t
    ) -> Int32 {
        var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        var pairs = unsafe (environment ?? [:]).map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            unsafe words.forEach { unsafe free($0) }
            unsafe pairs.forEach { unsafe free($0) }
        }
        return unsafe words.withUnsafeMutableBufferPointer { words in
            unsafe pairs.withUnsafeMutableBufferPointer { pairs in
                let given = unsafe environment == nil ? environ : pairs.baseAddress!
                return unsafe platform_spawn(
                    program, words.baseAddress!, given, output, errors, leadsGroup ? 1 : 0, &process)
            }
        }
    }

    private static func readAll(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(descriptor, &block, block.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += block.prefix(count)
        }
    }

    private static func failure(_ verb: String, _ program: String, _ error: Int32) -> StartFailure {
        StartFailure(description: "cannot \(verb) \(program): \(unsafe String(cString: strerror(error)))")
    }
}
