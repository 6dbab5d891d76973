import CPlatform
package import Configuration
import Platform
package import Tensors

extension OptimizerConfiguration {
    /// By what gradients of norm `norm` are multiplied.
    package func clipFactor(norm: Double) -> Double {
        gradientClip > 0 && norm > gradientClip ? gradientClip / norm : 1
    }
}

/// The numbers of one update that are the same for all parameters.
package struct AdamWStep: Sendable {
    let firstAverage: MovingAverage
    let secondAverage: MovingAverage
    let epsilon: Float
    /// `α / (1 − β₁^t)`
    let stepSize: Float
    /// `1 / √(1 − β₂^t)`
    let secondMomentScale: Float
    let decay: Float
    let gradientScale: Float

    /// - Parameters:
    ///   - number: t, 1 for the first update
    ///   - learningRate: α after the schedule
    ///   - gradientScale: from `OptimizerConfiguration.clipFactor`
    package init(_ settings: OptimizerConfiguration, number: Int, learningRate: Double, gradientScale: Double) {
        firstAverage = MovingAverage(settings.beta1)
        secondAverage = MovingAverage(settings.beta2)
        epsilon = Float(settings.epsilon)
        stepSize = Float(learningRate / (1 - pow(settings.beta1, Double(number))))
        secondMomentScale = Float(1 / (1 - pow(settings.beta2, Double(number))).squareRoot())
        decay = Float(learningRate * settings.weightDecay)
        self.gradientScale = Float(gradientScale)
    }

    /// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`, `w ← w − (decay·w + stepSize·m / (√v·scale + ε))`, in one pass.
    /// - Parameter hasWeightDecay: whether weight decay pulls at these parameters
    package func update(
        _ parameters: Vector<Float>, gradient: Vector<Float>, firstMoment: Vector<Float>, secondMoment: Vector<Float>,
        hasWeightDecay: Bool
    ) {
        let g = gradient.span
        var w = unsafe parameters.unsafeMutableSpan, m = unsafe firstMoment.unsafeMutableSpan,
            v = unsafe secondMoment.unsafeMutableSpan
        let n = g.count
        precondition(w.count == n && m.count == n && v.count == n)
        // Not as a factor 1 − decay, which has no digits for a small decay.
        let pull = hasWeightDecay ? decay : 0
        let (first, second) = (firstAverage, secondAverage)
        let (eps, size, root, scale) = (epsilon, stepSize, secondMomentScale, gradientScale)
        for i in 0..<n {
            let gi = g[i] * scale
            let mi = first(m[i], gi)
            let vi = second(v[i], gi * gi)
            m[i] = mi
            v[i] = vi
            w[i] -= pull * w[i] + size * mi / (platform_square_root(vi) * root + eps)
        }
    }
}
