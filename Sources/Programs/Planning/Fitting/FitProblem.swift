import Platform

/// `f(θ) = Σ_i w_i·Huber_δ(ln L(x_i; θ) − ln L_i) + ½·λ·Σ_j θ_j²`: what a fit minimizes.
///
/// A sum, not a mean: a mean is so small that L-BFGS stops early (Besiroglu et al. 2024, arXiv:2404.10102).
package struct FitProblem<Law: ScalingLaw>: Sendable {
    package let points: [ScalePoint]
    package let losses: [Double]
    /// How much each run counts: all ones, but in a bootstrap and where runs are weighted by their losses.
    package let weights: [Double]
    /// λ
    package let decay: Double
    /// δ
    package let huber: Double
    let logLosses: [Double]

    /// - Parameters:
    ///   - runs: to fit to
    ///   - objective: δ, weights and λ
    ///   - counts: how often each run is in a resample; nil: once
    package init(_ runs: [RunMeasurement], _ objective: FitObjective, counts: [Double]? = nil) {
        points = runs.map(\.point)
        losses = runs.map(\.loss)
        logLosses = losses.map { log($0) }
        (huber, decay) = (objective.huber, objective.decay)
        let weights = objective.weighting.weights(of: losses)
        self.weights = counts.map { zip($0, weights).map(*) } ?? weights
    }

    /// `f(θ)`; its gradient if asked. Not finite where the law is not.
    func value(at theta: [Double], gradient: inout [Double]) -> Double {
        let law = Law(coordinates: theta)
        var sheet = LawTerms(for: Law.metadata)
        for j in gradient.indices { gradient[j] = 0 }
        var sum = 0.0
        for i in points.indices where weights[i] != 0 {
            law.terms(at: points[i], into: &sheet)
            let residual = sheet.reduce() - logLosses[i]
            let (loss, pull) = huberLoss(residual, huber)
            sum.addProduct(weights[i], loss)
            for j in gradient.indices { gradient[j].addProduct(weights[i] * pull, sheet.slope(j)) }
        }
        for j in gradient.indices { gradient[j] += decay * theta[j] }
        return sum + penalty(at: theta)
    }

    /// `½·λ·Σ_j θ_j²`, the part of f that the runs do not decide.
    func penalty(at theta: [Double]) -> Double { 0.5 * decay * theta.reduce(0) { $0 + $1 * $1 } }

    func value(at theta: [Double]) -> Double {
        var none: [Double] = []
        return value(at: theta, gradient: &none)
    }

    /// `Σ_i w_i·h(r_i)·g_i·g_iᵀ`, g the gradient of `ln L`, h = Huber′(r)/r: the Gauss–Newton matrix at θ of what f says
    /// of the runs. λ is no datum.
    func gaussNewton(at theta: [Double]) -> SymmetricMatrix {
        let law = Law(coordinates: theta)
        var sheet = LawTerms(for: Law.metadata), matrix = SymmetricMatrix(size: theta.count)
        var g = Array(repeating: 0.0, count: theta.count)
        for i in points.indices where weights[i] != 0 {
            law.terms(at: points[i], into: &sheet)
            let residual = abs(sheet.reduce() - logLosses[i])
            for j in g.indices { g[j] = sheet.slope(j) }
            matrix.add(weights[i] * (residual > huber ? huber / residual : 1), outer: g)
        }
        return matrix
    }

    /// Root mean square of `L(x_i) − L_i`, nats; nil without runs.
    package func rmse(of law: Law) -> Double? {
        guard !points.isEmpty else { return nil }
        let squares = points.indices.map { pow(law.loss(at: points[$0]) - losses[$0], 2) }
        return (squares.reduce(0, +) / Double(points.count)).squareRoot()
    }

    /// `ln L_i − ln L(x_i)` of every run.
    package func logResiduals(of law: Law) -> [Double] {
        points.indices.map { logLosses[$0] - log(law.loss(at: points[$0])) }
    }
}

/// `r²/2` inside δ, `δ·(|r| − δ/2)` outside; and its derivative.
func huberLoss(_ r: Double, _ delta: Double) -> (loss: Double, derivative: Double) {
    abs(r) <= delta ? (0.5 * r * r, r) : (delta * (abs(r) - 0.5 * delta), r < 0 ? -delta : delta)
}
