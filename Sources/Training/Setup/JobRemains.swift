import Collectives
import Diagnostics
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What Open MPI leaves on a machine when mpirun is killed: the job's session directory and its shared memory. The run
/// directory notes them, host by host, and the next job on that host clears them away.
struct JobRemains: Codable {
    /// The session directory, `…/ompi.HOST.USER/pid.N` in Open MPI 4, `…/prterun.HOST.N.USER` in Open MPI 5, and then what
    /// the names of the job's shared-memory files begin with; empty if mpirun did not start this process.
    var places: [String]
    /// mpirun, or its daemon on this host.
    var launcher: Int32

    /// Clears away what the last job of this run left here, and notes what this one would leave. By the lowest rank of
    /// each host. Nothing that fails here matters: others may have been quicker. **Collective** over `world`.
    /// - Returns: the note, to be removed after an orderly end, when mpirun itself leaves nothing
    static func trade(in directory: RunDirectory, on world: any Communicator) throws(Failure) -> String? {
        let host = ProcessInfo.processInfo.hostName
        let hosts = try Agreement(ranks: world).gather(Array(host.utf8)).map { String(decoding: $0, as: UTF8.self) }
        guard hosts.firstIndex(of: host) == world.rank else { return nil }
        let file = directory.remains(of: host)
        if let bytes = FileManager.default.contents(atPath: file),
            let old = try? JSONDecoder().decode(JobRemains.self, from: bytes)
        {
            old.remove()
        }
        let mine = ofThisJob()
        unlink(file)
        guard !mine.places.isEmpty else { return nil }
        try? JSONEncoder().encode(mine).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Those that this job would leave; once MPI runs.
    private static func ofThisJob() -> JobRemains {
        guard let session = ProcessInfo.processInfo.environment["PMIX_SERVER_TMPDIR"], isSession(session)
        else { return JobRemains(places: [], launcher: 0) }
        return JobRemains(places: [session] + (mappedSegment().map { [$0] } ?? []), launcher: getppid())
    }

    /// `…/vader_segment.HOST.USER.JOB.`, in Open MPI 5 `…/sm_segment.…`, without the rank, of a file that this process has
    /// mapped.
    private static func mappedSegment() -> String? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard isSegment(line), let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: ".")
            else { continue }
            return String(line[start...end])
        }
        return nil
    }

    private static func isSegment(_ text: some StringProtocol) -> Bool {
        ["/vader_segment.", "/sm_segment."].contains { text.contains($0) }
    }

    /// Whether the directory lies where Open MPI makes them: what anybody else may have written here is not removed.
    private static func isSession(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard path.hasPrefix("/"), let name = parts.last else { return false }
        if sharesParent(path) { return name.hasPrefix("pid.") || name.hasPrefix("jf.") }
        return runtimeName(name) != nil
    }

    /// Whether all sessions of the user lie in one directory, as Open MPI 4 has them.
    private static func sharesParent(_ session: String) -> Bool {
        session.split(separator: "/").dropLast().last?.hasPrefix("ompi.") == true
    }

    /// The process number in the name that Open MPI 5, by its runtime PRRTE, gives a session: `TOOL.HOST.PROCESS.USER`, where
    /// the host may have dots.
    private static func runtimeName(_ name: Substring) -> Int32? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 4, ["prterun", "prted", "prte"].contains(parts[0]), Int(parts[parts.count - 1]) != nil
        else { return nil }
        return Int32(parts[parts.count - 2])
    }

    /// mpirun's, where the directory bears it.
    private static func processNumber(_ session: String) -> Int32? {
        guard let name = session.split(separator: "/").last else { return nil }
        return name.hasPrefix("pid.") ? Int32(name.dropFirst(4)) : runtimeName(name)
    }

    /// Removes them, unless the launcher lives and will do so itself.
    func remove() {
        guard let session = places.first, Self.isSession(session),
            Self.isDead(launcher), Self.processNumber(session).map(Self.isDead) ?? true
        else { return }
        var doomed = [session]
        for prefix in places.dropFirst() where Self.isSegment(prefix) {
            let directory = URL(fileURLWithPath: prefix).deletingLastPathComponent().path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            doomed += names.map { "\(directory)/\($0)" }.filter { $0.hasPrefix(prefix) }
        }
        for path in doomed { try? FileManager.default.removeItem(atPath: path) }
        // The user's directory of sessions goes with the last of them; `rmdir` leaves it if there are others.
        guard Self.sharesParent(session) else { return }
        rmdir(URL(fileURLWithPath: session).deletingLastPathComponent().path)
    }

    private static func isDead(_ process: Int32) -> Bool { process > 1 && kill(process, 0) != 0 && errno == ESRCH }
}
