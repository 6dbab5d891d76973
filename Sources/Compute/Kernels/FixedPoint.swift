import KernelLoops
package import Tensors
package import Threading

/// `sums ← quantize(values)`, or `sums += quantize(values)` if `adding`.
/// - Parameter limit: from `FixedPoint.limit`
/// - Returns: whether some value was too large for the sum, infinite or NaN
package func accumulateFixed(
    _ values: Vector<Float>, into sums: Vector<Int64>, adding: Bool, limit: Float, on workers: ThreadPool
) -> Bool {
    let tile = 1 << 14
    let tiles = (values.count + tile - 1) / tile
    let flags = Vector<UInt8>(count: tiles)
    workers.run(tiles) { _, index in
        let range = index * tile..<min((index + 1) * tile, values.count)
        let outside = kernelLoops.accumulateFixed(values[range], into: sums[range], adding: adding, limit: limit)
        flags[index] = outside ? 1 : 0
    }
    return (0..<tiles).contains { flags[$0] != 0 }
}
