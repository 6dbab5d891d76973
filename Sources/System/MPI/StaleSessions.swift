import Foundation
import Platform

/// Session directories of Open MPI, `TMPDIR/ompi.HOST.USER/pid.N`, whose mpirun (process N of this machine) is gone: it was
/// killed before any rank could note in its run directory what would be left.
enum StaleSessions {
    /// Removes this user's. What fails here does not matter: another job may have been quicker.
    static func remove(in environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let root = root(environment), isOurs(root), let sessions = try? OpenDirectory(root, followingLink: false)
        else { return }
        for name in (try? sessions.names()) ?? [] {
            guard name.hasPrefix("pid."), let launcher = pid_t(name.dropFirst(4)), JobRemains.isDead(launcher),
                isOurs("\(root)/\(name)"), sessions.own(name) == .directory
            else { continue }
            try? sessions.remove(name)
        }
    }

    /// This user's directory of sessions: the one around this job's session, or where a process alone would make one.
    private static func root(_ environment: [String: String]) -> String? {
        if let session = environment["PMIX_SERVER_TMPDIR"] {
            let root = URL(fileURLWithPath: session).deletingLastPathComponent()
            return root.lastPathComponent.hasPrefix("ompi.") ? root.path : nil
        }
        let given = ["OMPI_MCA_orte_tmpdir_base", "TMPDIR", "TEMP", "TMP"].lazy.compactMap { environment[$0] }
        let base = given.first { !$0.isEmpty } ?? "/tmp"
        let host = ProcessInfo.processInfo.hostName.split(separator: ".").first ?? ""
        return "\(base)/ompi.\(host).\(geteuid())"
    }

    /// A directory, not a link to one, that belongs to this user and that nobody else can write.
    private static func isOurs(_ path: String) -> Bool {
        var found = stat()
        return unsafe lstat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFDIR && found.st_uid == geteuid()
            && found.st_mode & 0o022 == 0
    }
}
