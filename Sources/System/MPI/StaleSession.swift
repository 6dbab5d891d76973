package import Collectives
package import Diagnostics
import Foundation
package import Platform

/// What Open MPI leaves on a machine when mpirun is killed: the job's session directory and its shared memory. Each job notes
/// what it would leave in a directory of its user's own, and the next job of that user on that machine clears it away.
///
/// Only what bears Open MPI's names with this user's number, belongs to this user and lies where the note says without any
/// symbolic link is removed.
package struct StaleSession: Codable {
    /// The session directory, `…/ompi.HOST.USER/pid.N` in Open MPI 4, `…/prterun.HOST.N.USER` in Open MPI 5, and then what
    /// the names of the job's shared-memory files begin with.
    var places: [String]
    /// mpirun, or its daemon on this host.
    var launcher: Int32
    /// Where process numbers mean the same: a host, and on it a container.
    var numbering: String

    /// A note to be removed after an orderly end, when mpirun itself leaves nothing.
    package struct Note: Sendable {
        fileprivate let directory: OpenDirectory
        fileprivate let name: String

        package func remove() {
            try? directory.remove(name)
            tidy(directory)
        }
    }

    /// Clears away what killed jobs left here, and notes what this one would leave. By the lowest rank of each host.
    /// Nothing that fails here matters: others may have been quicker. **Collective** over `world`.
    package static func claim(on world: any Communicator) throws(Failure) -> Note? {
        let host = ProcessInfo.processInfo.hostName
        let hosts = try Agreement(ranks: world).allGather(Array(host.utf8)).map { String(decoding: $0, as: UTF8.self) }
        guard hosts.firstIndex(of: host) == world.rank, let directory = notes() else { return nil }
        clear(directory)
        guard let mine = ofThisJob(), let bytes = try? JSONEncoder().encode(mine) else {
            tidy(directory)
            return nil
        }
        OpenMPISessions.removeAbandoned()
        let note = Note(directory: directory, name: "job-\(getpid())-\(hexadecimal(UInt64.random(in: 0...UInt64.max)))")
        guard (try? directory.create(note.name, Array(bytes))) != nil else { return nil }
        return note
    }

    /// The directory of notes goes with the last of them; `rmdir` leaves it if there are others.
    private static func tidy(_ directory: OpenDirectory) { unsafe rmdir(directory.path) }

    /// Where Open MPI has its directories too: what is noted there goes when they go.
    private static func notes() -> OpenDirectory? {
        let folder = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        return privateDirectory("switchyard-\(geteuid())", in: folder)
    }

    /// Clears away what the jobs noted in `directory` have left, unless their launchers live.
    package static func clear(_ directory: OpenDirectory) {
        for name in (try? directory.names()) ?? [] where name.hasPrefix("job-") {
            guard let bytes = try? RegularFile(name, in: directory).contents(limit: 1 << 16),
                let old = try? JSONDecoder().decode(StaleSession.self, from: Data(bytes)), old.isOver
            else { continue }
            old.remove()
            try? directory.remove(name)
        }
    }

    /// What this job would leave; once MPI runs. Nil if mpirun did not start this process.
    private static func ofThisJob() -> StaleSession? {
        guard let session = ProcessInfo.processInfo.environment["PMIX_SERVER_TMPDIR"].flatMap(resolved) else {
            return nil
        }
        let segment = mappedSegment().flatMap(resolvedPrefix)
        return StaleSession(
            places: [session] + (segment.map { [$0] } ?? []), launcher: getppid(), numbering: ownNumbering)
    }

    /// `…/vader_segment.HOST.USER.JOB.`, in Open MPI 5 `…/sm_segment.…`, without the rank, of a file that this process has
    /// mapped.
    private static func mappedSegment() -> String? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/self/maps") else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard line.contains("/vader_segment.") || line.contains("/sm_segment."),
                let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: ".")
            else { continue }
            return String(line[start...end])
        }
        return nil
    }

    private static var ownNumbering: String {
        let container = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        return "\(ProcessInfo.processInfo.hostName) \(container ?? "")"
    }

    /// Whether the job has ended for certain: its launcher, and mpirun where the session's name says which that was, are gone.
    private var isOver: Bool {
        numbering == Self.ownNumbering && OpenMPISessions.isDead(launcher)
            && (places.first.flatMap(OpenMPINames.processNumber).map(OpenMPISessions.isDead) ?? true)
    }

    private func remove() {
        guard let session = places.first, OpenMPINames.isSession(session), Self.resolved(session) == session else {
            return
        }
        for prefix in places.dropFirst() {
            let (folder, start) = splitPath(prefix)
            guard Self.resolved(folder) == folder, let memory = try? OpenDirectory(folder) else { continue }
            for name in (try? memory.names()) ?? []
            where name.hasPrefix(start) && OpenMPINames.isSegment(name) && memory.own(name) == .file {
                try? memory.remove(name)
            }
        }
        OpenMPISessions.remove(session)
    }

    /// The path without links; nil if there is nothing.
    private static func resolved(_ path: String) -> String? { path.hasPrefix("/") ? realPath(path) : nil }

    /// The same of a path that is the beginning of a name.
    private static func resolvedPrefix(_ path: String) -> String? {
        let (folder, start) = splitPath(path)
        return resolved(folder).map { "\($0)/\(start)" }
    }
}
