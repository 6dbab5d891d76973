/// The merges of a vocabulary, to look up: made once, from a `PairTable`.
///
/// Most pairs that are looked up have no merge. A table of bits, which fits a core's own cache, knows that of most of them; the others
/// are hashed by multiplication, with linear probing. Pairs of bytes, with which every pre-token begins, have a table of their own.
struct MergeTable: Sendable {
    /// No rank.
    static let none = UInt32.max

    private struct Entry {
        /// Of `TokenPair`; all ones where nothing is.
        var key = UInt64.max
        var rank: UInt32 = 0
    }

    /// A power of two of them, at most half of them used.
    private var entries: [Entry]
    /// A bit of each merge's hash is set: eight bits or more a merge.
    private var bits: [UInt64]
    private let shift: UInt64
    private let bitShift: UInt64
    /// `[first byte · 256 + second]`
    private var rankOfBytes: [UInt32]
    /// The token that a merge makes, by rank.
    private let results: [UInt32]

    init(_ pairs: PairTable, results: [UInt32], tokenOfByte: [UInt32]) {
        var size: UInt64 = 10
        while 1 << size < 2 * pairs.count { size += 1 }
        shift = 64 - size
        bitShift = 64 - (size + 2)
        entries = [Entry](repeating: Entry(), count: 1 << size)
        bits = [UInt64](repeating: 0, count: 1 << (size + 2) / 64)
        rankOfBytes = [UInt32](repeating: Self.none, count: 1 << 16)
        self.results = results
        pairs.forEach { pair, rank in insert(pair.key, rank) }
        for first in 0..<256 {
            for second in 0..<256 {
                rankOfBytes[first << 8 | second] = rank(tokenOfByte[first], tokenOfByte[second])
            }
        }
    }

    private mutating func insert(_ key: UInt64, _ rank: UInt32) {
        let hash = Self.hash(key), bit = Int(hash >> bitShift)
        bits[bit >> 6] |= 1 << UInt64(bit & 63)
        var slot = Int(hash >> shift)
        while entries[slot].key != .max { slot = (slot + 1) & (entries.count - 1) }
        entries[slot] = Entry(key: key, rank: rank)
    }

    @inline(__always)
    private static func hash(_ key: UInt64) -> UInt64 {
        (key ^ (key >> 32) &* 0xD6E8_FEB8_6659_FD93) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The rank of the merge of two tokens, the lower, the earlier; `none` if they do not merge.
    @inline(__always)
    func rank(_ left: UInt32, _ right: UInt32) -> UInt32 {
        let key = TokenPair(left: left, right: right).key, hash = Self.hash(key), bit = Int(hash >> bitShift)
        guard bits[bit >> 6] >> UInt64(bit & 63) & 1 == 1 else { return Self.none }
        var slot = Int(hash >> shift)
        while entries[slot].key != key {
            guard entries[slot].key != .max else { return Self.none }
            slot = (slot + 1) & (entries.count - 1)
        }
        return entries[slot].rank
    }

    /// The same of two bytes' tokens.
    @inline(__always)
    func rank(ofBytes first: UInt8, _ second: UInt8) -> UInt32 { rankOfBytes[Int(first) << 8 | Int(second)] }

    /// The token that the merge of a rank makes.
    @inline(__always)
    func result(of rank: UInt32) -> UInt32 { results[Int(rank)] }
}
