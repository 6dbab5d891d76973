/// `e^x` to 1.3 units in the last place for `x` in [-87.3, 88.3] (1.26 is the largest error over all floats there),
/// saturating outside; `exponential(NaN)` is NaN.
///
/// Written so that a loop over it becomes vector instructions: `x = n·ln 2 + r`, a polynomial for `e^r` on
/// |r| ≤ ln 2 / 2, times 2^n made from exponent bits. Rounding to `n` adds and subtracts 1.5·2^23, because
/// `rounded()` and `Int32(_:)` do not vectorize.
@inlinable @inline(__always)
package func exponential(_ value: Float) -> Float {
    var x = value
    x = x < -87.3 ? -87.3 : x
    x = x > 88.3 ? 88.3 : x
    let magic: Float = 12_582_912
    let shifted = magic.addingProduct(x, 1.442_695_04)
    let n = shifted - magic
    var r = x.addingProduct(n, -0.693_359_375)
    r = r.addingProduct(n, 2.121_944_4e-4)
    var p: Float = 1.987_569_15e-4
    p = Float(1.398_199_95e-3).addingProduct(p, r)
    p = Float(8.333_452e-3).addingProduct(p, r)
    p = Float(4.166_579_6e-2).addingProduct(p, r)
    p = Float(1.666_666_55e-1).addingProduct(p, r)
    p = Float(5.000_000_1e-1).addingProduct(p, r)
    let power = (r + 1).addingProduct(r * r, p)
    // 2^n as a factor: adding n to the exponent bits of `power` would turn some NaNs into numbers.
    let exponent = Int32(bitPattern: shifted.bitPattern) &- (Int32(bitPattern: magic.bitPattern) &- 127)
    return power * Float(bitPattern: UInt32(bitPattern: exponent &<< 23))
}

/// `exponential` of sixteen numbers: the same operations, the same bits.
@inlinable @inline(__always)
package func exponential(_ value: SIMD16<Float>) -> SIMD16<Float> {
    typealias Floats = SIMD16<Float>
    var x = value
    x.replace(with: -87.3, where: x .< -87.3)
    x.replace(with: 88.3, where: x .> 88.3)
    let magic = Floats(repeating: 12_582_912)
    let shifted = magic.addingProduct(x, 1.442_695_04)
    let n = shifted - magic
    var r = x.addingProduct(n, -0.693_359_375)
    r = r.addingProduct(n, 2.121_944_4e-4)
    var p = Floats(repeating: 1.987_569_15e-4)
    p = Floats(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = Floats(repeating: 8.333_452e-3).addingProduct(p, r)
    p = Floats(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = Floats(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = Floats(repeating: 5.000_000_1e-1).addingProduct(p, r)
    let power = (r + 1).addingProduct(r * r, p)
    let bits = unsafe unsafeBitCast(shifted, to: SIMD16<Int32>.self)
    let exponent = bits &- (Int32(bitPattern: Float(12_582_912).bitPattern) &- 127)
    return unsafe power * unsafeBitCast(exponent &<< 23, to: Floats.self)
}

/// `1 / (1 + e^-x)`
@inlinable @inline(__always)
package func sigmoid(_ x: Float) -> Float { 1 / (1 + exponential(-x)) }
