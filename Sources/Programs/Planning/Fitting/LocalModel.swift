import Platform

/// A fit's objective around θ, without its kinks smoothed:
/// `q(d) = Σ_i w_i·Huber_δ(r_i + g_i·d) + ½·dᵀ·C·d + p·d`, `C = Σ_i w_i·Huber′(r_i)·∇²ln L(x_i) + λ·I`, `p = λ·θ`.
///
/// q has the value, the gradient and, where f has one, the Hessian of f at d = 0, and it keeps the places where a
/// residual crosses δ, at which quadratic models and L-BFGS stall (Fletcher, Practical Methods of Optimization, 14.4).
struct LocalModel: Sendable {
    let huber: Double
    /// w, `[runs]` in fours, padded with zeros; so are r and g
    let weights: [SIMD4<Double>]
    /// r
    let residuals: [SIMD4<Double>]
    /// g, `[coordinates][runs]`
    let slopes: [[SIMD4<Double>]]
    /// C
    let curvature: SymmetricMatrix
    /// p, the pull of the decay
    let pulls: [Double]

    init(
        huber: Double, weights: [Double], residuals: [Double], slopes: [[Double]], curvature: SymmetricMatrix,
        pulls: [Double]
    ) {
        self.huber = huber
        self.weights = inFours(weights)
        self.residuals = inFours(residuals)
        self.slopes = slopes.map(inFours)
        self.curvature = curvature
        self.pulls = pulls
    }

    /// `q(d)` and its gradient; `bend` is the second derivative of the Huber loss to count beyond δ, as a multiple of
    /// δ/|r|: 0 for Newton's matrix, 1 for that of iteratively reweighted least squares.
    func expand(at d: [Double], bend: Double) -> (value: Double, gradient: [Double], hessian: SymmetricMatrix) {
        let count = d.count
        var pull = residuals(at: d), weight = pull, values = SIMD4<Double>.zero
        for i in pull.indices {
            let r = pull[i],
                inside = r.clamped(lowerBound: .init(repeating: -huber), upperBound: .init(repeating: huber))
            // r²/2 inside δ, δ·(|r| − δ/2) beyond: r·c − c²/2 with c the clamped r.
            values += weights[i] * inside * (r - 0.5 * inside)
            pull[i] = weights[i] * inside
            weight[i] = weights[i].replacing(with: bend * weights[i] * inside / r, where: inside .!= r)
        }
        var value = values.sum(), gradient = Array(repeating: 0.0, count: count), hessian = curvature
        for j in 0..<count {
            gradient[j] = dot(pull, slopes[j])
            var weighted = slopes[j]
            for i in weighted.indices { weighted[i] *= weight[i] }
            for k in 0...j {
                hessian[j, k] += dot(weighted, slopes[k])
                hessian[k, j] = hessian[j, k]
            }
        }
        for j in 0..<count {
            var bent = 0.0
            for k in 0..<count { bent.addProduct(curvature[j, k], d[k]) }
            gradient[j] += bent + pulls[j]
            value += (0.5 * bent + pulls[j]) * d[j]
        }
        return (value, gradient, hessian)
    }

    /// `r + g·d`
    private func residuals(at d: [Double]) -> [SIMD4<Double>] {
        var moved = residuals
        for j in d.indices where d[j] != 0 { add(d[j], slopes[j], to: &moved) }
        return moved
    }

    /// The step along `direction` from `d`, at most `limit`, where q's slope along it first turns positive.
    func exactStep(from d: [Double], along direction: [Double], upTo limit: Double) -> Double {
        let moved = residuals(at: d)
        var rise = Array(repeating: SIMD4<Double>.zero, count: moved.count), bent = 0.0, slope = 0.0
        for j in direction.indices where direction[j] != 0 {
            add(direction[j], slopes[j], to: &rise)
            slope += direction[j] * pulls[j]
            for k in d.indices {
                bent.addProduct(direction[j] * curvature[j, k], direction[k])
                slope.addProduct(direction[j] * curvature[j, k], d[k])
            }
        }
        let (low4, high4) = (SIMD4(repeating: -huber), SIMD4(repeating: huber))
        func slopeAt(_ t: Double) -> Double {
            var sum = SIMD4<Double>.zero
            for i in moved.indices {
                let r = moved[i] + t * rise[i]
                sum += weights[i] * rise[i] * r.clamped(lowerBound: low4, upperBound: high4)
            }
            return sum.sum() + slope + t * bent
        }
        var (low, high) = (0.0, min(1, limit))
        var (slopeLow, slopeHigh) = (slopeAt(0), slopeAt(high))
        let first = abs(slopeLow)
        while slopeHigh <= 0 {
            if high >= limit { return limit }
            (low, slopeLow) = (high, slopeHigh)
            high = min(4 * high, limit)
            slopeHigh = slopeAt(high)
        }
        // Piecewise linear in t: secants, with bisection where they creep.
        for turn in 0..<40 where high - low > 1e-12 * high {
            let secant = low + (high - low) * slopeLow / (slopeLow - slopeHigh)
            let middle = turn % 3 == 2 || !(secant > low && secant < high) ? (low + high) / 2 : secant
            let here = slopeAt(middle)
            if abs(here) <= 1e-6 * first { return middle }
            if here <= 0 { (low, slopeLow) = (middle, here) } else { (high, slopeHigh) = (middle, here) }
        }
        return low > 0 ? low : high
    }
}

extension FitProblem {
    /// The model of f around θ; nil where f is not finite.
    ///
    /// `∇²ln L = Σ_k s_k·(∇u_k·∇u_kᵀ + ∇²u_k) − ∇ln L·∇ln Lᵀ` with the terms' shares s of the loss. A law's u_k are
    /// linear in all coordinates with `LawParameter.isLinear`, so that ∇²u_k takes differences along the others only.
    func local(at theta: [Double]) -> LocalModel? {
        let count = theta.count, law = Law(coordinates: theta)
        var sheet = LawTerms(for: Law.metadata)
        var residuals: [Double] = [], curvature = SymmetricMatrix(size: count)
        var slopes = Array(repeating: [Double](), count: count)
        let bends = TermBends<Law>(at: theta)
        var gradient = Array(repeating: 0.0, count: count), row = gradient
        for i in points.indices {
            law.terms(at: points[i], into: &sheet)
            let residual = sheet.reduce() - logLosses[i]
            guard residual.isFinite else { return nil }
            residuals.append(residual)
            for j in 0..<count {
                gradient[j] = sheet.slope(j)
                slopes[j].append(gradient[j])
            }
            let pull = weights[i] * huberLoss(residual, huber).derivative
            guard pull != 0 else { continue }
            for k in 0..<sheet.terms {
                for j in 0..<count { row[j] = sheet[k, j] }
                curvature.add(pull * sheet.logs[k], outer: row)
            }
            curvature.add(-pull, outer: gradient)
            bends.add(pull, sheet.logs, at: points[i], to: &curvature)
        }
        for j in 0..<count { curvature[j, j] += decay }
        return LocalModel(
            huber: huber, weights: weights, residuals: residuals, slopes: slopes, curvature: curvature,
            pulls: theta.map { decay * $0 })
    }
}

/// `Σ_k s_k·∇²u_k` of a law whose terms are not linear in some coordinates, by central differences of its slopes.
private struct TermBends<Law: ScalingLaw> {
    private let laws: [(coordinate: Int, up: Law, down: Law)]
    private let step = 1e-4

    init(at theta: [Double]) {
        let step = step
        laws = Law.metadata.parameters.indices.filter { !Law.metadata.parameters[$0].isLinear }.map { j in
            var (up, down) = (theta, theta)
            up[j] += step
            down[j] -= step
            return (j, Law(coordinates: up), Law(coordinates: down))
        }
    }

    func add(_ weight: Double, _ shares: [Double], at point: ScalePoint, to matrix: inout SymmetricMatrix) {
        let metadata = Law.metadata
        for (j, up, down) in laws {
            var above = LawTerms(for: metadata), below = above
            up.terms(at: point, into: &above)
            down.terms(at: point, into: &below)
            for c in metadata.parameters.indices {
                var bend = 0.0
                for k in shares.indices { bend.addProduct(shares[k], above[k, c] - below[k, c]) }
                bend *= weight / (2 * step)
                if !metadata.parameters[c].isLinear {
                    // Both coordinates' differences give this element: half from each.
                    matrix[j, c] += bend / 2
                    matrix[c, j] += bend / 2
                } else {
                    matrix[j, c] += bend
                    matrix[c, j] += bend
                }
            }
        }
    }
}

private func inFours(_ values: [Double]) -> [SIMD4<Double>] {
    var packed = Array(repeating: SIMD4<Double>.zero, count: (values.count + 3) / 4)
    for i in values.indices { packed[i / 4][i % 4] = values[i] }
    return packed
}

private func dot(_ a: [SIMD4<Double>], _ b: [SIMD4<Double>]) -> Double {
    var sum = SIMD4<Double>.zero
    for i in a.indices { sum.addProduct(a[i], b[i]) }
    return sum.sum()
}

private func add(_ factor: Double, _ a: [SIMD4<Double>], to b: inout [SIMD4<Double>]) {
    for i in a.indices { b[i].addProduct(factor, a[i]) }
}
