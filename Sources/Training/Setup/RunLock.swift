package import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One job's claim to a run directory. It lasts as long as this value, and ends with the process however that ends:
/// the file `DIRECTORY/lock` stays and says who came last, but only its lock counts.
package final class RunLock: Sendable {
    private let descriptor: Int32

    /// A job that was killed may take a moment to vanish, so a taken lock is tried again for `patience` seconds.
    /// - Throws: `inUse`, naming the host, process and job of the owner
    package init(directory: String, patience: Double = 3) throws(Failure) {
        let path = "\(directory)/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure(.cannotCreate, "\(path) cannot be written: \(unsafe String(cString: strerror(errno)))")
        }
        let clock = ContinuousClock(), end = clock.now + .seconds(patience)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            // A file system that knows no locks must not stop anybody from training.
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            guard clock.now < end else { throw Self.inUse(directory, by: path) }
            usleep(50_000)
        }
        let owner = Self.description
        ftruncate(descriptor, 0)
        owner.utf8.withContiguousStorageIfAvailable { _ = unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit { close(descriptor) }

    private static func inUse(_ directory: String, by path: String) -> Failure {
        let owner = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return Failure(
            .inUse, "the run directory \(directory) is in use by \(owner.isEmpty ? "another job" : owner)",
            advice: "wait until that job ends, or choose another with --set run.directory=PATH")
    }

    private static var description: String {
        let process = ProcessInfo.processInfo
        let job = process.environment["SLURM_JOB_ID"].map { ", Slurm job \($0)" } ?? ""
        return "process \(process.processIdentifier) on \(process.hostName)\(job)"
    }
}
