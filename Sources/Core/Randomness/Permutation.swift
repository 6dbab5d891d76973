/// A pseudo-random permutation of `0..<count` in constant memory: a Feistel network over the smallest even number of
/// bits that holds `count`, walked until it lands inside ("cycle walking"; Black & Rogaway, CT-RSA 2002).
package struct Permutation: Sendable {
    package let count: UInt64
    private let halfBits: UInt64
    private let keys: [UInt64]

    package init(count: Int, seed: UInt64, purpose: RandomPurpose, stream: UInt64) {
        precondition(count > 0)
        self.count = UInt64(count)
        let bits = UInt64(64 - (self.count - 1).leadingZeroBitCount)
        halfBits = max(1, (bits + 1) / 2)
        let random = RandomFunction(seed: seed, purpose: purpose, stream: stream)
        keys = (0..<6).map { random.bits(UInt64($0)) }
    }

    /// Where `index` goes; expected under four rounds of the network, since its domain is less than four times `count`.
    package func callAsFunction(_ index: Int) -> Int {
        precondition(index >= 0 && UInt64(index) < count)
        var x = UInt64(index)
        repeat { x = network(x) } while x >= count
        return Int(x)
    }

    private func network(_ x: UInt64) -> UInt64 {
        let mask = (UInt64(1) << halfBits) - 1
        var left = x >> halfBits, right = x & mask
        for key in keys { (left, right) = (right, left ^ (mix(right ^ key) & mask)) }
        return left << halfBits | right
    }
}
