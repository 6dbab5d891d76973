import Diagnostics

/// Names in a folder of checkpoints.
enum CheckpointNames {
    private static let staging = ".staging-"
    private static let removing = ".removing-"

    /// `step-00000200`
    static func directory(step: Int) -> String { "step-" + zeroPadded(step, width: 8) }

    /// The step of a published checkpoint's directory; nil for every other name.
    static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), directory(step: step) == name else {
            return nil
        }
        return step
    }

    /// `.staging-step-00000200-0123456789abcdef`; the digits tell one process from another.
    static func staging(step: Int, token: String) -> String { "\(staging)\(directory(step: step))-\(token)" }

    /// `.removing-step-00000200`
    static func removing(step: Int) -> String { removing + directory(step: step) }

    /// Whether it is the name of something unfinished that a job of this program has left.
    static func isLeftover(_ name: String) -> Bool {
        if name.hasPrefix(removing) { return step(of: String(name.dropFirst(removing.count))) != nil }
        guard name.hasPrefix(staging) else { return false }
        let words = name.dropFirst(staging.count).split(separator: "-", omittingEmptySubsequences: false)
        guard words.count == 3, step(of: "\(words[0])-\(words[1])") != nil else { return false }
        return (1...16).contains(words[2].utf8.count)
            && words[2].utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    /// Whether a file of that name belongs to the system or to a file manager, which put it anywhere: it is nobody's surplus.
    static func isOfTheSystem(_ name: String) -> Bool {
        [".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"].contains(name)
            || [".nfs", ".fuse_hidden", ".smbdelete", ".afs", "._"].contains { name.hasPrefix($0) }
    }

    /// Carries run and step, because a reader of the index may meet a file of the same name elsewhere first.
    static func shard(run: String, step: Int, file: Int, of files: Int) -> String {
        let safe = run.utf8.prefix(80).map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: Character(UnicodeScalar(byte))
            default: Character("_")
            }
        }
        let name = safe.isEmpty ? "run" : String(safe)
        let place = "\(zeroPadded(file + 1, width: 5))-of-\(zeroPadded(files, width: 5))"
        return "\(name)-\(directory(step: step))-\(place).h5"
    }
}
