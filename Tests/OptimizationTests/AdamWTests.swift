import Configuration
import Diagnostics
import Optimization
import Platform
import Randomness
import Tensors
import TestSupport
import Testing

/// AdamW as its paper writes it (Loshchilov & Hutter, algorithm 2), in double precision.
private struct NaiveAdamW {
    var w: [Double]
    var m: [Double]
    var v: [Double]
    let settings: OptimizerConfiguration

    mutating func update(
        _ g: [Double], number t: Int, learningRate: Double, gradientScale: Double, hasWeightDecay: Bool
    ) {
        let (b1, b2) = (settings.beta1, settings.beta2)
        for i in w.indices {
            let gradient = g[i] * gradientScale
            m[i] = b1 * m[i] + (1 - b1) * gradient
            v[i] = b2 * v[i] + (1 - b2) * gradient * gradient
            let mHat = m[i] / (1 - pow(b1, Double(t))), vHat = v[i] / (1 - pow(b2, Double(t)))
            let decay = hasWeightDecay ? settings.weightDecay * w[i] : 0
            w[i] -= learningRate * (mHat / (vHat.squareRoot() + settings.epsilon) + decay)
        }
    }
}

private func settings(_ yaml: String = "{}") throws -> OptimizerConfiguration {
    try OptimizerConfiguration(
        reading: ConfigurationDocument(yaml: "optimizer: \(yaml)", file: "run.yaml").section("optimizer"))
}

@Suite struct AdamWTests {
    struct Case: Sendable {
        var settings: String
        var count = 33
        var steps = 60
        var gradients = 1.0
        var scale = 1.0
        var hasWeightDecay = true
    }

    private static let cases = [
        Case(settings: "{}"), Case(settings: "{}", count: 1), Case(settings: "{}", count: 1000, hasWeightDecay: false),
        Case(settings: "{beta1: 0, beta2: 0}"), Case(settings: "{beta1: 0.95, beta2: 0.95, weight_decay: 0}"),
        Case(settings: "{beta2: 0.999999}"), Case(settings: "{beta2: 0.999999999}"),
        Case(settings: "{beta1: 0.9999999}"),
        Case(settings: "{epsilon: 1.0e-3}", gradients: 1e-3), Case(settings: "{}", gradients: 1e-9),
        Case(settings: "{epsilon: 1.0e-16}", gradients: 1e-6), Case(settings: "{}", gradients: 1e4, scale: 1e-4),
        Case(settings: "{learning_rate: 0}"), Case(settings: "{learning_rate: 1.0, weight_decay: 0.5}", steps: 5),
        Case(settings: "{}", gradients: 0),
    ]

    /// Each update may err by a rounding of w (half of 2^−23 of its size) and a few of the step, so the bound grows with
    /// the steps taken: 2^−24 of the largest weight each and 1e-6 of the way traveled.
    @Test(arguments: cases.indices) func followsThePaper(index: Int) throws {
        let test = Self.cases[index], adamW = try settings(test.settings)
        let draw = RandomFunction(seed: UInt64(index), purpose: .tests)
        let w = Vector<Float>((0..<test.count).map { Float(draw.uniform(UInt64($0)) * 2 - 1) })
        let m = Vector<Float>(count: test.count), v = Vector<Float>(count: test.count)
        var naive = NaiveAdamW(
            w: w.array.map(Double.init), m: [Double](repeating: 0, count: test.count),
            v: [Double](repeating: 0, count: test.count), settings: adamW)
        var traveled = 0.0, worst = LargestDeviation(), largest = 1.0
        for step in 1...test.steps {
            let g = Vector<Float>(
                (0..<test.count).map { i in
                    // A sparse tensor: elements without a gradient in some steps.
                    let u = draw.uniform(UInt64(step * test.count + i))
                    return u < 0.1 ? 0 : Float(test.gradients * (2 * u - 1))
                })
            let rate = peak(adamW) * min(1, Double(step) / 10)
            AdamWStep(adamW, number: step, learningRate: rate, gradientScale: test.scale).update(
                w, gradient: g, firstMoment: m, secondMoment: v, hasWeightDecay: test.hasWeightDecay)
            let before = naive.w
            naive.update(
                g.array.map(Double.init), number: step, learningRate: rate, gradientScale: test.scale,
                hasWeightDecay: test.hasWeightDecay)
            traveled += zip(before, naive.w).reduce(0) { max($0, abs($1.0 - $1.1)) }
            largest = naive.w.reduce(largest) { max($0, abs($1)) }
            let bound = 1e-6 * traveled + Double(step) * largest * 0x1p-24
            for i in 0..<test.count { worst.add(abs(Double(w[i]) - naive.w[i]) / bound) }
        }
        print("AdamW \(test.settings) gradients \(test.gradients): largest deviation \(worst.value) of its bound")
        #expect(worst.value <= 1)
        if test.gradients > 0, peak(adamW) > 0 { #expect(traveled > 1e-7, "nothing moved") }
    }

    /// A constant gradient moves every weight by the learning rate a step, however large the gradient.
    @Test(arguments: [1e-4, 1, 1e3]) func aConstantGradientTakesStepsOfTheLearningRate(size: Double) throws {
        let adamW = try settings("{weight_decay: 0, learning_rate: 0.01}")
        let w = Vector<Float>(count: 2), m = Vector<Float>(count: 2), v = Vector<Float>(count: 2)
        let g = Vector<Float>([Float(size), -Float(size)])
        for step in 1...2000 {
            AdamWStep(adamW, number: step, learningRate: 0.01, gradientScale: 1).update(
                w, gradient: g, firstMoment: m, secondMoment: v, hasWeightDecay: true)
        }
        let expected = 2000 * 0.01 / (1 + 1e-8 / size)
        #expect(abs(Double(w[0]) + expected) <= 2e-5 * expected)
        #expect(w[1] == -w[0])
    }

    @Test func decayAloneShrinksWeightsAndSparesWhatDoesNotDecay() throws {
        let adamW = try settings("{weight_decay: 0.5}")
        for hasWeightDecay in [true, false] {
            let w = Vector<Float>([1, -2, 0]), zero = Vector<Float>(count: 3)
            AdamWStep(adamW, number: 1, learningRate: 0.25, gradientScale: 1).update(
                w, gradient: zero, firstMoment: Vector(count: 3), secondMoment: Vector(count: 3),
                hasWeightDecay: hasWeightDecay)
            #expect(w.array == (hasWeightDecay ? [0.875, -1.75, 0] : [1, -2, 0]))
        }
    }

    @Test func aNaNGradientShowsInTheWeights() throws {
        let w = Vector<Float>([1, 1])
        AdamWStep(try settings(), number: 1, learningRate: 0.1, gradientScale: 1).update(
            w, gradient: Vector([.nan, 1]), firstMoment: Vector(count: 2), secondMoment: Vector(count: 2),
            hasWeightDecay: true)
        #expect(w[0].isNaN && w[1].isFinite)
    }

    @Test func clippingScalesDownToTheNormAndNeverUp() throws {
        let adamW = try settings("{gradient_clip: 0.5}")
        #expect(adamW.clipFactor(norm: 2) == 0.25)
        #expect(adamW.clipFactor(norm: 0.5) == 1)
        #expect(adamW.clipFactor(norm: 0.1) == 1)
        #expect(adamW.clipFactor(norm: 0) == 1)
        #expect(try settings("{gradient_clip: 0}").clipFactor(norm: 1e9) == 1)
    }

    @Test(arguments: [
        "beta1: 1", "beta2: 1.0", "epsilon: 0", "learning_rate: -1", "weight_decay: -0.1", "gradient_clip: -1",
    ])
    func impossibleSettingsAreRefused(setting: String) {
        #expect(throws: Failure.self) { try settings("{\(setting)}") }
    }
}

/// The rate that is given as a number.
private func peak(_ settings: OptimizerConfiguration) -> Double {
    guard case .value(let value) = settings.learningRate else { return .nan }
    return value
}
