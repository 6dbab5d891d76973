import Platform

/// A point that a descent reached.
struct LocalMinimum: Sendable {
    var theta: [Double]
    var value: Double
}

extension FitProblem {
    /// The minimum of f inside the law's bounds that a trust region reaches from `start`; coordinates in `held` stay.
    ///
    /// Every step minimizes `LocalModel` in a box. Ends when the model promises less than rounding, which at a minimum on a
    /// kink a gradient's size does not tell.
    func refine(from start: [Double], holding held: Set<Int> = [], steps: Int = 200) -> LocalMinimum? {
        let metadata = Law.metadata
        var bounds = metadata.bounds, theta = metadata.clamped(start)
        for j in held {
            theta[j] = start[j]
            bounds[j] = theta[j]...theta[j]
        }
        let widths = metadata.parameters.map(\.width)
        var radius = 1.0, value = value(at: theta)
        guard value.isFinite, var model = local(at: theta) else { return nil }
        for _ in 0..<steps {
            // What is left below 1e-13 a run is rounding of the logarithms.
            if value < 1e-26 * Double(points.count) { break }
            let (step, promised) = model.minimizer(
                in: StepBox(bounds, around: theta, radius: radius, widths: widths))
            guard promised > 1e-13 * value else { break }
            let next = theta.indices.map {
                min(max(theta[$0] + step[$0], bounds[$0].lowerBound), bounds[$0].upperBound)
            }
            let nextValue = self.value(at: next), gain = value - nextValue
            let length = step.indices.map { abs(step[$0]) / widths[$0] }.max() ?? 0
            if gain > 1e-4 * promised, let nextModel = local(at: next) {
                if gain > 0.75 * promised, length > 0.99 * radius { radius = min(3 * radius, 10) }
                if gain < 0.25 * promised { radius = 0.5 * length }
                (theta, value, model) = (next, nextValue, nextModel)
            } else {
                radius = 0.25 * min(length, radius)
                if radius < 1e-13 { break }
            }
        }
        return LocalMinimum(theta: theta, value: value)
    }
}
