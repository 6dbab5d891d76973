package import Collectives
package import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One job per run directory: a file `lock` held by `flock`, which the kernel gives up when the process dies, and in it
/// who holds it.
///
/// Where `flock` reaches only one machine (some network file systems), the heartbeat in the file stands in for it.
package final class RunLock {
    package struct Owner: Codable, Sendable, Equatable {
        package var host: String
        package var pid: Int32
        package var job: String
        /// Seconds since 1970.
        package var heartbeat: Double
        /// What on `host` outlives a job that is killed, for the next owner to clear away.
        package var remains: [String]?

        package init(host: String, pid: Int32, job: String, heartbeat: Double) {
            self.host = host
            self.pid = pid
            self.job = job
            self.heartbeat = heartbeat
        }
    }

    /// After this many seconds without a beat another host's owner is taken for dead.
    package static let silence = 60.0
    /// The content has this many bytes, always, so that one write replaces it.
    private static let length = 512

    private let file: Int32
    private let path: String
    private var owner: Owner
    /// Who had the lock before on this host and did not release it.
    package private(set) var previous: Owner?

    /// Takes the lock. Ranks of a job that is just dying get `patience` to let go.
    /// - Parameter remains: to be found by the next owner if this one never releases the lock
    /// - Throws: `inUse`, naming the owner, if another job has it
    package init(
        runDirectory: String, patience: Duration = .seconds(5), remains: [String] = []
    ) throws(Failure) {
        path = "\(runDirectory)/lock"
        owner = Self.myself()
        owner.remains = remains.isEmpty ? nil : remains
        file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else {
            throw Failure(
                .cannotCreate, "cannot open \(path): \(unsafe String(cString: strerror(errno)))",
                advice: "the run directory must be writable")
        }
        let deadline = ContinuousClock.now + patience
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            // A file system that knows no locks must not stop anybody: the heartbeat is left.
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            guard ContinuousClock.now < deadline else {
                let failure = Self.inUse(path, Self.read(file))
                close(file)
                throw failure
            }
            usleep(50_000)
        }
        if let other = Self.read(file), other.host != owner.host, Self.age(of: other) < Self.silence {
            close(file)
            throw Self.inUse(path, other)
        }
        previous = Self.read(file).flatMap { $0.host == owner.host ? $0 : nil }
        try beat()
    }

    deinit { close(file) }

    /// Rank 0 takes the lock and returns it; all hear whether it could. Collective.
    package static func take(
        runDirectory: String, ranks: any Communicator, patience: Duration = .seconds(5)
    ) throws(Failure) -> RunLock? {
        try Agreement(ranks: ranks).settle { () throws(Failure) in
            ranks.rank == 0 ? try RunLock(runDirectory: runDirectory, patience: patience) : nil
        }
    }

    /// Says that the owner is alive. The trainer does so after every step; other hosts see `silence` without a beat as death.
    package func beat() throws(Failure) {
        owner.heartbeat = Date().timeIntervalSince1970
        var bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(owner))
            if bytes.count >= Self.length {
                owner.remains = nil
                bytes = Array(try JSONEncoder().encode(owner))
            }
        } catch {
            throw Failure(.software, "\(path): \(error)")
        }
        bytes += Array(repeating: 0x20, count: max(0, Self.length - 1 - bytes.count)) + [0x0A]
        guard unsafe pwrite(file, bytes, bytes.count, 0) == bytes.count else {
            throw Failure(.inputOutput, "cannot write \(path): \(unsafe String(cString: strerror(errno)))")
        }
    }

    /// Gives the lock back; the next owner may come from any host at once.
    package func release() {
        _ = ftruncate(file, 0)
        _ = flock(file, LOCK_UN)
    }

    private static func inUse(_ path: String, _ owner: Owner?) -> Failure {
        guard let owner else {
            return Failure(.inUse, "another process holds \(path)", advice: "wait until it has ended")
        }
        let job = owner.job.isEmpty ? "" : ", job \(owner.job)"
        let age = Int(max(0, age(of: owner)))
        return Failure(
            .inUse,
            "the run is in use by process \(owner.pid) on \(owner.host)\(job), last heard of \(age) s ago (\(path))",
            advice: "wait for that job or end it; one that has died is taken over after \(Int(silence)) s of silence")
    }

    private static func read(_ file: Int32) -> Owner? {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = unsafe pread(file, &bytes, length, 0)
        return count > 0 ? try? JSONDecoder().decode(Owner.self, from: Data(bytes.prefix(count))) : nil
    }

    private static func age(of owner: Owner) -> Double { Date().timeIntervalSince1970 - owner.heartbeat }

    private static func myself() -> Owner {
        let job = ProcessInfo.processInfo.environment["SLURM_JOB_ID"] ?? ""
        return Owner(host: ProcessInfo.processInfo.hostName, pid: getpid(), job: job, heartbeat: 0)
    }
}
