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
        var ending: Int32 = 0
        while unsafe waitpid(process, &ending, 0) < 0 {
            guard errno == EINTR else { throw failure("wait for", program, errno) }
        }
        let signal = ending & 0x7f
        return (signal == 0 ? .exit(ending >> 8 & 0xff) : .signal(signal), output)
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String]?, output: Int32,
        _ process: inout pid_t
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
                return unsafe platform_spawn(program, words.baseAddress!, given, output, &process)
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
