/// What random numbers are drawn for; each purpose has numbers of its own, so that a new use never disturbs an old one.
package enum RandomPurpose: UInt64, Sendable, CaseIterable {
    case parameterValues = 1
    case windowOrder = 2
    case windowOffset = 3
    case sampling = 4
    case tests = 5
    case benchmarks = 6
    case mixture = 7
}

/// A pure function of (seed, purpose, a, b) from index to random numbers: nothing is carried from one draw to the next,
/// so any rank can compute any draw and a resumed run needs only its step number.
package struct RandomFunction: Sendable {
    private let philox: Philox

    /// - Parameters:
    ///   - seed: the run's `seed`
    ///   - purpose: what the numbers are for; purposes are independent of each other
    ///   - stream: what distinguishes draws of one purpose, such as a step or the digest of a parameter's name
    package init(seed: UInt64, purpose: RandomPurpose, stream: UInt64 = 0) {
        philox = Philox(
            key: mix(mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ mix(purpose.rawValue) ^ mix(stream &+ 0x5851_F42D)))
    }

    /// 64 random bits for `index`.
    package func bits(_ index: UInt64) -> UInt64 {
        let x = philox.block(SIMD4(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), 0, 0))
        return UInt64(x[0]) | UInt64(x[1]) << 32
    }

    /// Uniform in the open interval (0, 1).
    package func uniform(_ index: UInt64) -> Double {
        (Double(bits(index) >> 12) + 0.5) * 0x1p-52
    }

    /// A whole number in `0..<bound`, unbiased to 2^-64.
    package func integer(_ index: UInt64, below bound: UInt64) -> UInt64 {
        bits(index).multipliedFullWidth(by: bound).high
    }
}

/// A bijection of 64-bit words that spreads every input bit over all output bits (the finalizer of SplitMix64;
/// Steele, Lea & Flood, OOPSLA 2014).
@inlinable
package func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}

/// A 64-bit digest of a text: FNV-1a, then mixed. For naming random streams, not for security.
package func digest(of text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return mix(hash)
}
