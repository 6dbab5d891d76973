import Platform

/// Names that Open MPI gives to what a job leaves.
enum OpenMPINames {
    /// `…/ompi.HOST.USER/pid.N` or `…/jf.N`, or Open MPI 5's `…/prterun.HOST.N.USER`, of this user, and no way out of there.
    static func isSession(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].isEmpty, !parts.contains("."), !parts.contains("..") else { return false }
        let (folder, name) = splitPath(path)
        if runtimeProcess(name) != nil { return true }
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        return isFolderOfSessions(folder)
            && words.count == 2 && (words[0] == "pid" || words[0] == "jf") && isNumber(words[1], digits: "0123456789")
    }

    /// Whether all sessions of this user lie in that directory, as Open MPI 4 has them: `…/ompi.HOST.USER`.
    static func isFolderOfSessions(_ path: String) -> Bool {
        let words = splitPath(path).name.split(separator: ".")
        return words.count >= 3 && words[0] == "ompi" && words[words.count - 1] == String(geteuid())
    }

    /// The process number of mpirun, or of its daemon, where the session's name bears it.
    static func processNumber(_ session: String) -> Int32? {
        let name = splitPath(session).name
        return name.hasPrefix("pid.") ? Int32(name.dropFirst(4)) : runtimeProcess(name)
    }

    /// The host in the name of Open MPI 5's session, whose folder may hold those of several; nil for Open MPI 4, which has a
    /// folder for each.
    static func host(_ session: String) -> [Substring]? {
        let name = splitPath(session).name
        return runtimeProcess(name).map { _ in name.split(separator: ".").dropFirst().dropLast(2) + [] }
    }

    /// The process number in the name that Open MPI 5, by its runtime PRRTE, gives a session of this user:
    /// `TOOL.HOST.PROCESS.USER`, where the host may have dots.
    private static func runtimeProcess(_ name: String) -> Int32? {
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count >= 4, ["prterun", "prted", "prte"].contains(words[0]),
            words[words.count - 1] == String(geteuid()), isNumber(words[words.count - 2], digits: "0123456789")
        else { return nil }
        return Int32(words[words.count - 2])
    }

    /// `vader_segment.HOST.USER.JOB.RANK`, of this user.
    static func isSegment(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count >= 5 && (parts[0] == "vader_segment" || parts[0] == "sm_segment")
            && parts[parts.count - 3] == String(geteuid())
            && isNumber(parts[parts.count - 2], digits: "0123456789abcdef")
            && isNumber(parts[parts.count - 1], digits: "0123456789")
    }

    private static func isNumber(_ text: Substring, digits: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { digits.utf8.contains($0) }
    }
}
