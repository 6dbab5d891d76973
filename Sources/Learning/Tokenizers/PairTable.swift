/// Two neighboring tokens.
package struct TokenPair: Hashable, Comparable, Sendable {
    var left: UInt16
    var right: UInt16

    var key: UInt32 { UInt32(left) << 16 | UInt32(right) }

    package static func < (a: TokenPair, b: TokenPair) -> Bool { a.key < b.key }
}

/// A map from pairs of tokens to numbers: hashing by multiplication, linear probing.
struct PairTable: Sendable {
    /// The pair of two end-of-text tokens of the largest vocabulary, which never stand in one text.
    private static let free = UInt32.max

    private var keys = [UInt32](repeating: free, count: 1 << 10)
    private var values = [UInt32](repeating: 0, count: 1 << 10)
    private(set) var count = 0

    private func slot(of key: UInt32) -> Int {
        let mask = keys.count - 1
        var slot = Int((UInt64(key) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while keys[slot] != key, keys[slot] != Self.free { slot = (slot + 1) & mask }
        return slot
    }

    subscript(pair: TokenPair) -> Int? {
        let slot = slot(of: pair.key)
        return keys[slot] == Self.free ? nil : Int(values[slot])
    }

    /// The number of `pair`, which becomes `value` if it had none.
    mutating func insert(_ pair: TokenPair, _ value: Int) -> Int {
        let found = slot(of: pair.key)
        guard keys[found] == Self.free else { return Int(values[found]) }
        keys[found] = pair.key
        values[found] = UInt32(value)
        count += 1
        if 2 * count > keys.count { grow() }
        return value
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        keys = [UInt32](repeating: Self.free, count: 2 * oldKeys.count)
        values = [UInt32](repeating: 0, count: 2 * oldKeys.count)
        for (key, value) in zip(oldKeys, oldValues) where key != Self.free {
            let slot = slot(of: key)
            keys[slot] = key
            values[slot] = value
        }
    }
}
