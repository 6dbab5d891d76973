import Foundation
import Platform

/// Session directories of Open MPI: `TMPDIR/ompi.HOST.USER/pid.N`, in Open MPI 5 `TMPDIR/prterun.HOST.N.USER`, where N is the
/// process of mpirun.
package enum OpenMPISessions {
    /// Removes this user's whose mpirun is gone: it was killed before any rank could note what would be left. What fails here
    /// does not matter: another job may have been quicker.
    package static func removeAbandoned(in environment: [String: String] = ProcessInfo.processInfo.environment) {
        let own = environment["PMIX_SERVER_TMPDIR"]
        guard let folder = folder(around: own, environment),
            let sessions = try? OpenDirectory(folder, followingLink: false)
        else {
            return
        }
        for name in (try? sessions.names()) ?? [] {
            let session = "\(folder)/\(name)"
            guard OpenMPINames.isSession(session), let launcher = OpenMPINames.processNumber(session), isDead(launcher),
                OpenMPINames.host(session) == own.flatMap(OpenMPINames.host)
            else { continue }
            remove(session)
        }
    }

    /// Removes a session of this user's, looking through no symbolic link.
    static func remove(_ session: String) {
        let (folder, name) = splitPath(session)
        let sharesFolder = OpenMPINames.isFolderOfSessions(folder)
        guard !sharesFolder || isOwnDirectory(folder),
            let directory = try? OpenDirectory(folder, followingLink: false), directory.own(name) == .directory
        else { return }
        try? directory.remove(name)
        // The user's directory of sessions goes with the last of them; `rmdir` leaves it if there are others.
        if sharesFolder { unsafe rmdir(folder) }
    }

    /// Whether no process of this machine has that number.
    static func isDead(_ process: Int32) -> Bool { process > 1 && kill(process, 0) != 0 && errno == ESRCH }

    /// Where this user's sessions are: around this job's, or where a process alone would make one.
    private static func folder(around own: String?, _ environment: [String: String]) -> String? {
        if let session = own {
            return OpenMPINames.isSession(session) ? splitPath(session).parent : nil
        }
        let given = ["OMPI_MCA_orte_tmpdir_base", "TMPDIR", "TEMP", "TMP"].lazy.compactMap { environment[$0] }
        let base = given.first { !$0.isEmpty } ?? "/tmp"
        let host = ProcessInfo.processInfo.hostName.split(separator: ".").first ?? ""
        return "\(base)/ompi.\(host).\(geteuid())"
    }

    private static func isOwnDirectory(_ path: String) -> Bool {
        let (folder, name) = splitPath(path)
        return (try? OpenDirectory(folder))?.own(name) == .directory
    }
}
