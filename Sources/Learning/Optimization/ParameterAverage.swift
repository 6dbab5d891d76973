package import Configuration
package import Tensors

/// An exponential moving average of parameters, `a ← βa + (1−β)w` after every update; it begins with the parameters' own values.
///
/// Polyak & Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992), with weights that decay.
package struct ParameterAverage: Sendable {
    private let average: MovingAverage

    package init(_ settings: OptimizerConfiguration) { average = MovingAverage(settings.averageDecay) }

    /// One step, element by element, with the parameters after their update.
    package func update(_ values: Vector<Float>, with parameters: Vector<Float>) {
        let w = parameters.span
        var a = unsafe values.unsafeMutableSpan
        precondition(a.count == w.count)
        for i in 0..<w.count { a[i] = average(a[i], w[i]) }
    }
}
