package import Diagnostics

/// Adam with decoupled weight decay and clipping by the global norm.
///
/// Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (arXiv:1711.05101), algorithm 2.
package struct OptimizerConfiguration: Sendable, Equatable {
    /// The schedule's peak.
    package var learningRate: Double
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double
    package var weightDecay: Double
    /// Gradients of a larger norm are scaled down to it; 0: never.
    package var gradientClip: Double

    package init(reading section: ConfigurationSection) throws(Failure) {
        learningRate = try section.number("learning_rate", default: 1e-3, in: 0...1e3)
        beta1 = try section.number("beta1", default: 0.9, in: 0...0.999_999_9)
        beta2 = try section.number("beta2", default: 0.999, in: 0...0.999_999_999)
        epsilon = try section.number("epsilon", default: 1e-8, in: 1e-16...1)
        weightDecay = try section.number("weight_decay", default: 0.1, in: 0...1e3)
        gradientClip = try section.number("gradient_clip", default: 1, in: 0...1e9)
    }
}
