/// Two neighboring tokens.
package struct TokenPair: Hashable, Comparable, Sendable {
    var left: UInt32
    var right: UInt32

    var key: UInt64 { UInt64(left) << 32 | UInt64(right) }

    package static func < (a: TokenPair, b: TokenPair) -> Bool { a.key < b.key }
}

/// A map from pairs of tokens to numbers: hashing by multiplication, linear probing.
struct PairTable: Sendable {
    /// No pair of tokens: they are below 2^31.
    private static let free = UInt64.max

    private var keys = [UInt64](repeating: free, count: 1 << 10)
    private var values = [UInt32](repeating: 0, count: 1 << 10)
    private(set) var count = 0

    private func slot(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while keys[slot] != key, keys[slot] != Self.free { slot = (slot + 1) & mask }
        return slot
    }

    subscript(pair: TokenPair) -> Int? {
        let slot = slot(of: pair.key)
        return keys[slot] == Self.free ? nil : Int(values[slot])
    }

    func forEach(_ body: (TokenPair, UInt32) -> Void) {
        for (key, value) in zip(keys, values) where key != Self.free {
            body(TokenPair(left: UInt32(key >> 32), right: UInt32(truncatingIfNeeded: key)), value)
        }
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
        keys = [UInt64](repeating: Self.free, count: 2 * oldKeys.count)
        values = [UInt32](repeating: 0, count: 2 * oldKeys.count)
        for (key, value) in zip(oldKeys, oldValues) where key != Self.free {
            let slot = slot(of: key)
            keys[slot] = key
            values[slot] = value
        }
    }
}
