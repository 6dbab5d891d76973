/// `β·old + (1 − β)·new` in float32 for a β of double precision.
///
/// β is kept as the sum of two floats: `1 − Float(0.999)` is off by 1e-5 of itself, which a second moment would show, and
/// `1 − Float(0.999999999)` is zero.
struct MovingAverage: Sendable {
    private let weight: Float
    private let correction: Float
    private let gain: Float

    init(_ beta: Double) {
        weight = Float(beta)
        correction = Float(beta - Double(weight))
        gain = Float(1 - beta)
    }

    @inline(__always)
    func callAsFunction(_ old: Float, _ new: Float) -> Float {
        weight * old + (correction * old + gain * new)
    }
}
