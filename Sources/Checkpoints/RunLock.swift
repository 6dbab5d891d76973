package import Collectives
package import Diagnostics
import Foundation
import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One job per run directory: a file `lock` held by `flock`, which the kernel gives up when the process dies, and in it
/// who holds it.
///
/// Where `flock` reaches only one machine (some network file systems), the heartbeat in the file stands in for it. A thread
/// of its own beats, so that a long step or save does not look like death.
package final class RunLock {
    package struct Owner: Codable, Sendable, Equatable {
        package var host: String
        package var pid: Int32
        package var job: String
        /// Seconds since 1970.
        package var heartbeat: Double

        package init(host: String, pid: Int32, job: String, heartbeat: Double) {
            self.host = host
            self.pid = pid
            self.job = job
            self.heartbeat = heartbeat
        }
    }

    /// After this many seconds without a beat another host's owner is taken for dead.
    package static let silence = 60.0

    private let file: LockFile
    private let life = Monitor(Life())
    private var heart: JoinableThread?

    private struct Life {
        var isOver = false
        var lastBeat = ContinuousClock.now
        /// Of the last beat.
        var failure: Failure?
    }

    /// Takes the lock. Ranks of a job that is just dying get `patience` to let go.
    /// - Parameter interval: between two beats
    /// - Throws: `inUse`, naming the owner, if another job has it
    package init(
        runDirectory: String, patience: Duration = .seconds(5), beatingEvery interval: Duration = .seconds(5)
    ) throws(Failure) {
        file = try LockFile("\(runDirectory)/lock", owner: Self.myself())
        let deadline = ContinuousClock.now + patience
        while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
            // A file system that knows no locks must not stop anybody: the heartbeat is left.
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            guard ContinuousClock.now < deadline else { throw file.inUse(by: file.read()) }
            usleep(50_000)
        }
        if let other = file.read(), other.host != file.owner.host, Self.age(of: other) < Self.silence {
            throw file.inUse(by: other)
        }
        try file.write()
        heart = startBeating(every: interval)
    }

    deinit { stopBeating() }

    /// Rank 0 takes the lock and returns it; all hear whether it could. Collective.
    package static func take(
        runDirectory: String, ranks: any Communicator, patience: Duration = .seconds(5)
    ) throws(Failure) -> RunLock? {
        try Agreement(ranks: ranks).settle { () throws(Failure) in
            ranks.rank == 0 ? try RunLock(runDirectory: runDirectory, patience: patience) : nil
        }
    }

    private func startBeating(every interval: Duration) -> JoinableThread {
        let (file, life) = (file, life)
        return JoinableThread {
            while life.wait(upTo: interval, until: { $0.isOver ? () : nil }) == nil {
                let outcome = Result { () throws(Failure) in try file.beat() }
                life.change { life in
                    switch outcome {
                    case .success: (life.lastBeat, life.failure) = (.now, nil)
                    case .failure(let failure): life.failure = failure
                    }
                }
            }
        }
    }

    private func stopBeating() {
        life.change { $0.isOver = true }
        heart?.join()
        heart = nil
    }

    /// Whether the run is still this job's.
    /// - Throws: `inUse` if another job has taken over, because this one was silent for too long; `inputOutput` if the
    ///   heartbeat cannot be written for so long that one soon may
    package func requireOwnership() throws(Failure) {
        let (silent, failure) = life.change { (ContinuousClock.now - $0.lastBeat, $0.failure) }
        guard let failure, failure.status == .inUse || silent >= .seconds(Self.silence / 2) else { return }
        throw failure
    }

    /// Gives the lock back; the next owner may come from any host at once.
    package func release() {
        stopBeating()
        file.clear()
    }

    static func age(of owner: Owner) -> Double { Date().timeIntervalSince1970 - owner.heartbeat }

    private static func myself() -> Owner {
        let job = ProcessInfo.processInfo.environment["SLURM_JOB_ID"] ?? ""
        return Owner(
            host: ProcessInfo.processInfo.hostName, pid: getpid(), job: job, heartbeat: Date().timeIntervalSince1970)
    }
}

/// The open file `lock`: who owns the run, in a fixed number of bytes, so that one write replaces it.
private final class LockFile: Sendable {
    let owner: RunLock.Owner
    let descriptor: Int32
    private let path: String
    private static let length = 512

    init(_ path: String, owner: RunLock.Owner) throws(Failure) {
        self.path = path
        self.owner = owner
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw Failure(
                .cannotCreate, "cannot open \(path): \(systemError())",
                advice: "the run directory must be writable")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func read() -> RunLock.Owner? {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let count = unsafe pread(descriptor, &bytes, Self.length, 0)
        return count > 0 ? try? JSONDecoder().decode(RunLock.Owner.self, from: Data(bytes.prefix(count))) : nil
    }

    /// Says that the owner is alive.
    /// - Throws: `inUse` if the file says that somebody else is the owner
    func beat() throws(Failure) {
        if let other = read(), (other.host, other.pid) != (owner.host, owner.pid) { throw inUse(by: other) }
        try write()
    }

    func write() throws(Failure) {
        var owner = owner
        owner.heartbeat = Date().timeIntervalSince1970
        var bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(owner))
        } catch {
            throw Failure(.software, "\(path): \(error)")
        }
        bytes += Array(repeating: 0x20, count: max(0, Self.length - 1 - bytes.count)) + [0x0A]
        guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw Failure(.inputOutput, "cannot write \(path): \(systemError())")
        }
    }

    func clear() {
        _ = ftruncate(descriptor, 0)
        _ = flock(descriptor, LOCK_UN)
    }

    func inUse(by owner: RunLock.Owner?) -> Failure {
        guard let owner else {
            return Failure(.inUse, "another process holds \(path)", advice: "wait until it has ended")
        }
        let job = owner.job.isEmpty ? "" : ", job \(owner.job)"
        let age = Int(max(0, RunLock.age(of: owner)))
        return Failure(
            .inUse,
            "the run is in use by process \(owner.pid) on \(owner.host)\(job), last heard of \(age) s ago (\(path))",
            advice:
                "wait for that job or end it; one that has died is taken over after \(Int(RunLock.silence)) s of silence"
        )
    }
}
