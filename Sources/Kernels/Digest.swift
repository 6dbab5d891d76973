import Randomness

/// `Σ_i mix(mix(tensor) + i·odd ⊕ bits_i)` modulo 2^64: every flipped bit changes it, an exchange of elements all but
/// certainly does, and parts of a tensor may be digested anywhere and summed in any order.
/// - Parameters:
///   - values: consecutive elements of the tensor
///   - tensor: digest of the tensor's name
///   - first: index in the whole tensor of the first element
package func contentDigest(_ values: Span<Float>, tensor: UInt64, first: Int) -> UInt64 {
    var sum: UInt64 = 0
    let key = mix(tensor)
    for i in 0..<values.count {
        let place = key &+ UInt64(truncatingIfNeeded: first &+ i) &* 0x9E37_79B9_7F4A_7C15
        sum = sum &+ mix(place ^ UInt64(values[i].bitPattern))
    }
    return sum
}
