/// Philox4x32-10, a counter-based generator: `(key, counter) → 128 random bits`, no state to carry.
///
/// Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), figure 4 and table 2.
package struct Philox: Sendable {
    let key: (UInt32, UInt32)

    package init(key: UInt64) {
        self.key = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    }

    @inline(__always)
    package func block(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var x = counter
        var (k0, k1) = key
        for _ in 0..<10 {
            let p0 = UInt64(x[0]) &* 0xD251_1F53
            let p1 = UInt64(x[2]) &* 0xCD9E_8D57
            x = SIMD4(
                UInt32(truncatingIfNeeded: p1 >> 32) ^ x[1] ^ k0, UInt32(truncatingIfNeeded: p1),
                UInt32(truncatingIfNeeded: p0 >> 32) ^ x[3] ^ k1, UInt32(truncatingIfNeeded: p0))
            k0 = k0 &+ 0x9E37_79B9
            k1 = k1 &+ 0xBB67_AE85
        }
        return x
    }
}
