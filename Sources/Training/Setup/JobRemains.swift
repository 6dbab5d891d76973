import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What Open MPI leaves on a machine when mpirun is killed: the job's session directory and its shared memory. The run's
/// lock notes them, and who takes over the run clears them away.
struct JobRemains {
    /// The session directory, `…/ompi.HOST.USER/pid.N` with mpirun's process number, and then what the names of the job's
    /// shared-memory files begin with; empty if mpirun did not start this process.
    let places: [String]

    /// Those that this job would leave; once MPI runs.
    static func ofThisJob() -> JobRemains {
        guard let session = ProcessInfo.processInfo.environment["PMIX_SERVER_TMPDIR"], processNumber(session) != nil
        else { return JobRemains(places: []) }
        return JobRemains(places: [session] + (mappedSegment().map { [$0] } ?? []))
    }

    /// `…/vader_segment.HOST.USER.JOB.`, without the rank, of a file that this process has mapped.
    private static func mappedSegment() -> String? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard line.contains(segment), let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: ".")
            else { continue }
            return String(line[start...end])
        }
        return nil
    }

    private static let segment = "/vader_segment."

    /// mpirun's, if the directory is called as Open MPI calls them.
    private static func processNumber(_ session: String) -> Int32? {
        let parts = session.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2].hasPrefix("ompi."), parts[parts.count - 1].hasPrefix("pid.")
        else { return nil }
        return Int32(parts[parts.count - 1].dropFirst(4))
    }

    /// Removes them, unless that mpirun lives and will do so itself. Failures do not matter: others may have been quicker.
    func remove() {
        guard let session = places.first, let mpirun = Self.processNumber(session), mpirun > 0,
            kill(mpirun, 0) != 0, errno == ESRCH
        else { return }
        var doomed = [session]
        for prefix in places.dropFirst() where prefix.contains(Self.segment) {
            let directory = URL(fileURLWithPath: prefix).deletingLastPathComponent().path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            doomed += names.map { "\(directory)/\($0)" }.filter { $0.hasPrefix(prefix) }
        }
        for path in doomed { try? FileManager.default.removeItem(atPath: path) }
        // The user's directory of sessions goes with the last of them; `rmdir` leaves it if there are others.
        rmdir(URL(fileURLWithPath: session).deletingLastPathComponent().path)
    }
}
