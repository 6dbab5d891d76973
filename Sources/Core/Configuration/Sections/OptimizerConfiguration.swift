package import Diagnostics

/// What turns gradients into updates.
package enum OptimizerKind: String, CaseIterable, Sendable {
    /// Adam with decoupled weight decay, for all parameters: Loshchilov & Hutter, "Decoupled Weight Decay Regularization"
    /// (arXiv:1711.05101), algorithm 2.
    case adamw
    /// Muon for the matrices of attention and experts (Jordan et al. 2024; Liu et al., arXiv:2502.16982), AdamW for all else.
    case muon
}

/// The optimizer, with decoupled weight decay and clipping by the global norm.
package struct OptimizerConfiguration: Sendable, Equatable {
    package var kind: OptimizerKind
    /// The schedule's peak.
    package var learningRate: LearningRate
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double
    /// Of Muon: the decay of its moment.
    package var momentum: Double
    package var weightDecay: Double
    /// Gradients of a larger norm are scaled down to it; 0: never.
    package var gradientClip: Double
    /// Decay of the average of the parameters that is kept beside them; 0: none is.
    package var averageDecay: Double
    package var skipping: StepSkipping

    package init(reading section: ConfigurationSection) throws(Failure) {
        kind = try section.choice("kind", default: .adamw)
        learningRate = try LearningRate(reading: section)
        beta1 = try section.number("beta1", default: 0.9, in: 0...0.999_999_9)
        beta2 = try section.number("beta2", default: 0.999, in: 0...0.999_999_999)
        epsilon = try section.number("epsilon", default: 1e-8, in: 1e-16...1)
        momentum = try section.number("momentum", default: Self.defaultMomentum, in: 0...0.999_999_9)
        weightDecay = try section.number("weight_decay", default: 0.1, in: 0...1e3)
        gradientClip = try section.number("gradient_clip", default: 1, in: 0...1e9)
        averageDecay = try section.number("ema_decay", default: 0, in: 0...0.999_999_9)
        skipping = try StepSkipping(reading: section)
    }

    package var keepsAverage: Bool { averageDecay > 0 }

    /// Jordan et al. (2024).
    static let defaultMomentum = 0.95
}

/// Which steps change nothing, because their gradient is no number or far larger than those before.
package struct StepSkipping: Sendable, Equatable {
    /// Steps in a row that may be skipped; the next bad one ends the run.
    package var limit: Int
    /// Standard deviations above the mean norm from which a gradient is an outlier; 0: none is.
    package var outlierSigmas: Double
    /// Applied steps whose norms give mean and deviation.
    package var outlierWindow: Int

    package init(limit: Int = 3, outlierSigmas: Double = 0, outlierWindow: Int = 128) {
        (self.limit, self.outlierSigmas, self.outlierWindow) = (limit, outlierSigmas, outlierWindow)
    }

    init(reading section: ConfigurationSection) throws(Failure) {
        let standard = StepSkipping()
        limit = try section.integer("skip_limit", default: standard.limit, in: 0...1_000_000)
        outlierSigmas = try section.number("outlier_sigmas", default: standard.outlierSigmas, in: 0...1e6)
        outlierWindow = try section.integer("outlier_window", default: standard.outlierWindow, in: 4...1024)
    }
}
