import Minimisation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A point that a descent reached.
struct Descended: Sendable {
    var theta: [Double]
    var value: Double
}

extension FitProblem {
    /// L-BFGS from `start`, in coordinates where the Gauss–Newton matrix at the start of every round is the identity.
    ///
    /// The exponents and coefficients of these laws are so entangled (condition 1e8 and more) that plain L-BFGS creeps;
    /// whitened, it needs tens of steps. A round ends after `iterations` or at convergence; rounds end when one
    /// gains nothing.
    func descend(from start: [Double], rounds: Int, iterations: Int) -> Descended? {
        var best = Descended(theta: start, value: value(at: start))
        guard best.value.isFinite else { return nil }
        for _ in 0..<rounds {
            guard best.value > 0, let next = round(from: best, iterations: iterations) else { break }
            let gain = best.value - next.value
            if next.value < best.value { best = next }
            // What is left below 1e-13 a run is rounding of the logarithms.
            if gain < 1e-9 * best.value || best.value < 1e-26 * Double(points.count) { break }
        }
        return best
    }

    /// `descend` to the end, and again from there with Ê's parameters set back near their starts, as long as that helps.
    ///
    /// Once a long step has thrown E_max to where it no longer matters, its gradient is zero and descent alone never
    /// brings it back, although the loss may be lower near the numbers of experts that were trained.
    func settle(from start: [Double]) -> Descended? {
        let facts = Law.facts
        guard var best = descend(from: start, rounds: 40, iterations: 200) else { return nil }
        var improved = true
        while improved {
            improved = false
            for j in facts.parameters.indices where facts.parameters[j].isSaturation {
                for factor in [0.5, 1, 3, 10, 50] {
                    var theta = best.theta
                    theta[j] = log(factor * facts.recipe.grid[j][0])
                    guard let other = descend(from: theta, rounds: 40, iterations: 200) else { continue }
                    if other.value < best.value * (1 - 1e-7) { (best, improved) = (other, true) }
                }
            }
        }
        return best
    }

    private func round(from start: Descended, iterations: Int) -> Descended? {
        // Whitened steps of length one should halve the value, whatever its size.
        let unit = (2 * start.value).squareRoot()
        // The floor keeps a coordinate that hardly matters from being thrown about.
        let (matrix, scale) = gaussNewton(at: start.theta).scaled(floor: unit)
        guard let lower = matrix.cholesky(damping: 1e-9) ?? matrix.cholesky(damping: 1e-5) else { return nil }
        let count = start.theta.count
        var theta = start.theta, gradient = Array(repeating: 0.0, count: count)
        var limits = MinimisationLimits()
        limits.iterations = iterations
        limits.progress = 1e-12
        let minimum = minimise(from: Array(repeating: 0, count: count), within: limits) { z, dz in
            var step = (0..<count).map { unit * z[$0] }
            backward(lower, &step)
            for j in 0..<count { theta[j] = start.theta[j] + step[j] / scale[j] }
            let value = value(at: theta, gradient: &gradient)
            for j in 0..<count { gradient[j] /= scale[j] }
            forward(lower, &gradient)
            for j in 0..<count { dz[j] = gradient[j] / unit }
            return value / (unit * unit)
        }
        guard minimum.value.isFinite else { return nil }
        var step = minimum.point.map { unit * $0 }
        backward(lower, &step)
        let reached = (0..<count).map { start.theta[$0] + step[$0] / scale[$0] }
        return Descended(theta: reached, value: value(at: reached))
    }
}

/// `x ← L⁻ᵀ·x`
private func backward(_ lower: [[Double]], _ x: inout [Double]) {
    for i in x.indices.reversed() {
        for k in i + 1..<max(x.count, i + 1) { x[i] -= lower[k][i] * x[k] }
        x[i] /= lower[i][i]
    }
}

/// `x ← L⁻¹·x`
private func forward(_ lower: [[Double]], _ x: inout [Double]) {
    for i in x.indices {
        for k in 0..<i { x[i] -= lower[i][k] * x[k] }
        x[i] /= lower[i][i]
    }
}
