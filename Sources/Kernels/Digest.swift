import Randomness
package import Tensors
package import Workers

/// `Σ_i mix(mix(tensor) + i·odd ⊕ bits_i)` modulo 2^64: every flipped bit and every exchange of elements changes it, and
/// parts of a tensor may be digested anywhere and summed in any order.
/// - Parameters:
///   - values: consecutive elements of the tensor
///   - tensor: digest of the tensor's name
///   - first: global index of the first element
package func contentDigest(_ values: Vector<Float>, tensor: UInt64, first: Int, on workers: Workers) -> UInt64 {
    let tile = 1 << 15
    let tiles = (values.count + tile - 1) / tile
    let sums = Vector<UInt64>(count: tiles)
    workers.run(tiles) { _, index in
        let range = index * tile..<min((index + 1) * tile, values.count)
        sums[index] = digestTile(values[range].span, tensor: tensor, first: first + range.lowerBound)
    }
    return (0..<tiles).reduce(0) { $0 &+ sums[$1] }
}

private func digestTile(_ values: Span<Float>, tensor: UInt64, first: Int) -> UInt64 {
    var sum: UInt64 = 0
    let key = mix(tensor)
    for i in 0..<values.count {
        let place = key &+ UInt64(truncatingIfNeeded: first &+ i) &* 0x9E37_79B9_7F4A_7C15
        sum = sum &+ mix(place ^ UInt64(values[i].bitPattern))
    }
    return sum
}
