/// Numbers byte strings in the order in which they are first met: a hash table with linear probing whose keys lie end to
/// end in one array.
package struct ByteStringTable: Sendable {
    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    /// Number of the string plus one; 0 is free. A power of two of them, at most half full.
    private var slots = [UInt32](repeating: 0, count: 1 << 10)

    private struct Entry {
        /// The first bytes, as many as fit: of most strings all.
        var head: UInt64
        var hash: UInt32
        var length: Int32
        /// Where the string ends in `bytes`.
        var end: Int
    }

    package init() {}

    package var count: Int { entries.count }
    /// Of the strings.
    var byteCount: Int { bytes.count }

    package func string(_ index: Int) -> [UInt8] {
        let entry = entries[index]
        return Array(bytes[entry.end - Int(entry.length)..<entry.end])
    }

    /// The number of the string in `range` of `text`; `count` before the call if it is new.
    package mutating func index(of text: Span<UInt8>, _ range: Range<Int>) -> Int {
        let key = key(of: text, range)
        return find(key, text, range) ?? insert(key, text, range)
    }

    /// The number of the string in `range` of `text`; nil if it has none.
    func find(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? { find(key(of: text, range), text, range) }

    /// What a string is looked up by.
    struct Key {
        fileprivate var head: UInt64
        var hash: UInt32
    }

    @inline(__always)
    func key(of text: Span<UInt8>, _ range: Range<Int>) -> Key {
        let head = text.word(range)
        return Key(head: head, hash: Self.hash(head, text, range))
    }

    /// - Parameter key: of the string in `range` of `text`
    @inline(__always)
    func find(_ key: Key, _ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let number = slots[slot(key, text, range)]
        return number == 0 ? nil : Int(number) - 1
    }

    /// Numbers a string that has no number yet.
    /// - Parameter key: of the string in `range` of `text`
    mutating func insert(_ key: Key, _ text: Span<UInt8>, _ range: Range<Int>) -> Int {
        let slot = slot(key, text, range)
        for i in range { bytes.append(text[i]) }
        entries.append(Entry(head: key.head, hash: key.hash, length: Int32(range.count), end: bytes.count))
        slots[slot] = UInt32(count)
        if 2 * count > slots.count { grow() }
        return count - 1
    }

    /// The slot of a string; a free one if it has none.
    @inline(__always)
    private func slot(_ key: Key, _ text: Span<UInt8>, _ range: Range<Int>) -> Int {
        var slot = Int(key.hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let entry = entries[Int(slots[slot]) - 1]
            if entry.head == key.head, Int(entry.length) == range.count, holds(entry, text, range) { break }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    /// Whether the bytes behind the first eight are those of `text`, too.
    @inline(__always)
    private func holds(_ entry: Entry, _ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count > 8 else { return true }
        let start = entry.end - range.count
        for i in 8..<range.count where bytes[start + i] != text[range.lowerBound + i] { return false }
        return true
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: 2 * slots.count)
        for (index, entry) in entries.enumerated() {
            var slot = Int(entry.hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    @inline(__always)
    private static func hash(_ head: UInt64, _ text: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        var hash = mixed(head, UInt64(range.count)), place = range.lowerBound + 8
        while place < range.upperBound {
            hash = mixed(text.word(place..<range.upperBound), hash)
            place += 8
        }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    @inline(__always)
    private static func mixed(_ word: UInt64, _ hash: UInt64) -> UInt64 {
        let product = (word ^ hash &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
        return product ^ product >> 29
    }
}

extension Span<UInt8> {
    /// The first bytes of `range`, at most eight, the first one lowest; zeros where there are fewer.
    @inline(__always)
    func word(_ range: Range<Int>) -> UInt64 {
        if range.lowerBound + 8 <= count {
            // In bounds by the condition above.
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self)
            return range.count >= 8 ? word.littleEndian : word.littleEndian & (1 << UInt64(8 * range.count) &- 1)
        }
        var word: UInt64 = 0
        for (place, i) in range.prefix(8).enumerated() { word |= UInt64(self[i]) << UInt64(8 * place) }
        return word
    }
}
