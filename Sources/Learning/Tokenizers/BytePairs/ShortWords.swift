/// The tokens of short pre-tokens met lately, in a table that fits a core's own cache: each has one place, where the last one met
/// stays. Most of a text is few words.
struct ShortWords {
    /// Longer pre-tokens are not kept, nor those of more than three tokens.
    static let longest = 8

    private struct Entry {
        var bytes: UInt64 = 0
        var tokens: (UInt32, UInt32, UInt32) = (0, 0, 0)
        /// Bytes; 0 where nothing is kept.
        var length: UInt8 = 0
        var count: UInt8 = 0
    }

    private static let bits: UInt64 = 13
    private var entries = [Entry](repeating: Entry(), count: 1 << Int(bits))

    @inline(__always)
    private static func place(of bytes: UInt64, _ length: Int) -> Int {
        Int(truncatingIfNeeded: ((bytes ^ UInt64(length)) &* 0x9E37_79B9_7F4A_7C15) >> (64 - bits))
    }

    /// Appends the tokens of a pre-token, if they are kept.
    /// - Parameters:
    ///   - bytes: the pre-token's, the first one lowest
    ///   - length: how many they are
    /// - Returns: whether they are kept
    @inline(__always)
    func append(_ bytes: UInt64, _ length: Int, to tokens: inout [UInt32]) -> Bool {
        let entry = entries[Self.place(of: bytes, length)]
        guard entry.bytes == bytes, Int(entry.length) == length else { return false }
        tokens.append(entry.tokens.0)
        if entry.count > 1 { tokens.append(entry.tokens.1) }
        if entry.count > 2 { tokens.append(entry.tokens.2) }
        return true
    }

    /// Keeps the tokens of a pre-token, if they are few enough.
    mutating func keep(_ bytes: UInt64, _ length: Int, _ tokens: ArraySlice<UInt32>) {
        guard 1...3 ~= tokens.count, let first = tokens.first, let last = tokens.last else { return }
        entries[Self.place(of: bytes, length)] = Entry(
            bytes: bytes, tokens: (first, tokens[tokens.startIndex + tokens.count / 2], last), length: UInt8(length),
            count: UInt8(tokens.count))
    }
}
