/// Numbers byte strings in the order in which they are first met: a hash table with linear probing whose keys lie end to
/// end in one array.
package struct ByteStringTable {
    private var bytes: [UInt8] = []
    /// Where each string ends in `bytes`.
    private var ends: [Int] = []
    private var hashes: [UInt32] = []
    /// Number of the string plus one; 0 is free. A power of two of them, at most half full.
    private var slots = [UInt32](repeating: 0, count: 1 << 10)

    package init() {}

    package var count: Int { ends.count }
    /// Of the strings.
    var byteCount: Int { bytes.count }

    package func string(_ index: Int) -> [UInt8] { Array(bytes[start(index)..<ends[index]]) }

    private func start(_ index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

    /// The number of the string in `range` of `text`; `count` before the call if it is new.
    package mutating func index(of text: Span<UInt8>, _ range: Range<Int>) -> Int {
        let hash = Self.hash(text, range)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if hashes[index] == hash, holds(index, text, range) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        for i in range { bytes.append(text[i]) }
        ends.append(bytes.count)
        hashes.append(hash)
        slots[slot] = UInt32(count)
        if 2 * count > slots.count { grow() }
        return count - 1
    }

    private func holds(_ index: Int, _ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let start = start(index)
        guard ends[index] - start == range.count else { return false }
        for i in 0..<range.count where bytes[start + i] != text[range.lowerBound + i] { return false }
        return true
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: 2 * slots.count)
        for (index, hash) in hashes.enumerated() {
            var slot = Int(hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    private static func hash(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for i in range { hash = (hash ^ UInt64(text[i])) &* 0x0000_0100_0000_01B3 }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
