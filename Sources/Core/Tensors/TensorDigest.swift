/// A 64-bit checksum of a tensor that does not depend on who computes which part of it, nor in what order:
///
/// `digest = Σᵢ f(bits of element i, key + i φ)  mod 2^64`, where `i` is the row-major index in the whole tensor,
/// `φ = 9E3779B97F4A7C15₁₆`, `f(b, w) = p xor (p >> 32)` and `p = (b xor (w mod 2^32)) · ((w >> 32) or 1)`.
/// Changing one element always changes it: `f` is injective in `b`. It finds damage, not malice.
///
/// Each rank adds up the elements it owns; one sum over ranks gives the digest of the whole.
package struct TensorDigest: Sendable {
    private let key: UInt64
    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// - Parameter name: tensors of equal contents and different names have different digests
    package init(name: String) {
        // FNV-1a over the name's UTF-8.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        key = hash
    }

    /// The part of the digest that `values`, consecutive elements from `index` on, contribute.
    package func part(_ values: Span<Float>, at index: Int) -> UInt64 {
        var sum: UInt64 = 0
        var word = key &+ UInt64(truncatingIfNeeded: index) &* Self.increment
        for i in values.indices {
            let product = UInt64(values[i].bitPattern ^ UInt32(truncatingIfNeeded: word)) &* ((word >> 32) | 1)
            sum &+= product ^ (product >> 32)
            word &+= Self.increment
        }
        return sum
    }
}
