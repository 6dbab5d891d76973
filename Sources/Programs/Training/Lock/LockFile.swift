import Diagnostics
import Foundation
import Platform

/// The open file `lock` of a run directory: who owns the run, in a fixed number of bytes, so that one write replaces it.
final class LockFile: Sendable {
    let owner: RunLock.Owner
    private let descriptor: Int32
    private let path: String
    private let directory: OpenDirectory
    private let identity: FileIdentity
    private static let length = 512

    /// - Throws: `cannotCreate` if it cannot be opened or is no regular file, but a link or a pipe
    init(in runDirectory: String, owner: RunLock.Owner) throws(Failure) {
        path = "\(runDirectory)/lock"
        self.owner = owner
        directory = try OpenDirectory(runDirectory)
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        let advice = "the run directory must be writable, and `lock` in it a file or nothing"
        guard descriptor >= 0 else { throw Failure(system: .cannotCreate, "cannot open \(path)", advice: advice) }
        // By its own name: a link is not what was opened.
        guard let found = FileIdentity(descriptor: descriptor), directory.size(ofFile: "lock") != nil else {
            close(descriptor)
            throw Failure(.cannotCreate, "cannot open \(path): it is not a regular file", advice: advice)
        }
        identity = found
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Tries to lock it. A file system that knows no locks must not stop anybody: the heartbeat is left.
    func lock() -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR)
    }

    /// Whether its name, and the run directory's, still lead to it.
    var isInPlace: Bool { directory.isInPlace && FileIdentity(path, followingLink: false) == identity }

    /// - Throws: `inUse` if the run directory was moved, removed or replaced, `inputOutput` if the system cannot tell
    func requirePlace() throws(Failure) {
        let places = [
            directory.identity.place(of: directory.path), identity.place(of: path, followingLink: false),
        ]
        if places == [.here, .here] { return }
        guard places.contains(.elsewhere) else {
            throw Failure(system: .inputOutput, "cannot look at \(path)")
        }
        throw Failure(
            .inUse,
            "the run directory \(directory.path) was moved, removed or replaced while this job used it: it is not this "
                + "job's any more",
            advice: "end a job before its run directory is moved; what it saved is where the directory went")
    }

    func read() -> RunLock.Owner? { read(descriptor) }

    /// As it is now, also where a network file system shows an open file as it was.
    private func readAnew() -> RunLock.Owner? {
        guard let file = try? RegularFile("lock", in: directory) else { return read() }
        return read(file.descriptor)
    }

    private func read(_ descriptor: Int32) -> RunLock.Owner? {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let count = unsafe pread(descriptor, &bytes, Self.length, 0)
        return count > 0 ? try? JSONDecoder().decode(RunLock.Owner.self, from: Data(bytes.prefix(count))) : nil
    }

    /// Waits until an owner on another host has been silent for long enough to be dead. How old its last beat is says little:
    /// its clock may be ahead or behind.
    /// - Throws: `inUse` as soon as it beats, `temporaryFailure` if waiting was canceled
    func awaitSilence(
        _ silence: Double, isCancelled: () -> Bool, report: (String) -> Void
    ) throws(Failure) {
        guard let other = read(), other.host != owner.host else { return }
        let age = RunLock.age(of: other)
        // No clock is ten times that far behind.
        guard age < 10 * silence else { return }
        let needed = max(silence - max(0, age), silence / 4)
        report(
            "waiting up to \(Int(needed.rounded(.up))) s for a sign of life of the run's last owner, process \(other.pid) on "
                + "\(other.host) (\(path))")
        let end = ContinuousClock.now + .seconds(needed)
        while ContinuousClock.now < end {
            usleep(UInt32(1e6 * min(0.25, silence / 100)))
            guard !isCancelled() else {
                throw Failure(
                    .temporaryFailure, "asked to leave while it waited for \(path): there is nothing to save",
                    advice: "start the same command again")
            }
            guard let now = readAnew() else { return }
            guard now == other else { throw inUse(by: now) }
        }
    }

    /// Says that the owner is alive.
    /// - Throws: `inUse` if the run directory is another, or the file says that somebody else is the owner
    func beat() throws(Failure) {
        try requirePlace()
        if let other = read(), !other.isSame(as: owner) { throw inUse(by: other) }
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
            throw Failure(system: .inputOutput, "cannot write \(path)")
        }
    }

    func clear() {
        // Another owner's entry stays.
        if read()?.isSame(as: owner) ?? true { _ = ftruncate(descriptor, 0) }
        _ = flock(descriptor, LOCK_UN)
    }

    func inUse(by owner: RunLock.Owner?) -> Failure {
        guard let owner else {
            return Failure(.inUse, "another process holds \(path)", advice: "wait until it has ended")
        }
        let job = owner.job.isEmpty ? "" : ", job \(owner.job)"
        let age = Int(max(0, min(RunLock.age(of: owner), 1e9)))
        return Failure(
            .inUse,
            "the run is in use by process \(owner.pid) on \(owner.host)\(job), last heard of \(age) s ago (\(path))",
            advice:
                "wait for that job or end it; one that has died is taken over after \(Int(RunLock.staleAfter)) s of silence"
        )
    }
}
