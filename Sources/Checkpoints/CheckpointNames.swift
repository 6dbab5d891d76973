/// Names in a folder of checkpoints.
enum CheckpointNames {
    static let staging = ".staging-"
    static let removing = ".removing-"

    /// `step-00000200`
    static func directory(step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The step of a published checkpoint's directory; nil for every other name.
    static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), directory(step: step) == name else {
            return nil
        }
        return step
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
        return "\(name)-\(directory(step: step))-\(fiveDigits(file + 1))-of-\(fiveDigits(files)).h5"
    }

    private static func fiveDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
