import Platform

/// The values of one parameter with which the law explains the runs almost as well as at its best.
package struct ProfileInterval: Sendable, Equatable {
    /// Values of the parameter.
    package var low, high: Double
    /// The width in the coordinate θ.
    var width: Double
    /// Ends that stop at the parameter's bound because the loss hardly rises on the way.
    var openLow = false, openHigh = false
}

extension FitProblem {
    /// The rise of f at the ends of an 80 % interval: `½·t²·K·B/A`.
    ///
    /// Of the likelihood ratio for M-estimates, `2·Δf·A/(K·B) ~ χ²` with `A = E[Huber″]`, `B = E[Huber′²]` (Huber & Ronchetti,
    /// Robust Statistics, 7.6): B with the degrees of freedom, A smoothed over a bandwidth of the residuals, because with
    /// a small δ few runs lie inside it. Runs count by their weights, in B by the squares of those. t is Student's 90 % quantile in place of the normal one.
    func intervalRise(at theta: [Double]) -> Double {
        let residuals = logResiduals(of: Law(coordinates: theta))
        let count = Double(points.count), freedom = max(1, count - Double(theta.count))
        let spread = 1.4826 * quantile(0.5, of: residuals.map(abs).sorted()) * (count / freedom).squareRoot()
        let bandwidth = max(0.9 * spread * pow(count, -0.2), 1e-300)
        let inside = zip(residuals, weights).reduce(0.0) { sum, run in
            let (r, weight) = run
            return sum + weight * 0.5
                * (erf((huber - r) / bandwidth / 2.0.squareRoot()) + erf((huber + r) / bandwidth / 2.0.squareRoot()))
        }
        let squares = zip(residuals, weights).reduce(0.0) { $0 + pow($1.1 * huberLoss($1.0, huber).derivative, 2) }
        let t = studentQuantile90(freedom), slope = max(inside / count, 0.02)
        // Huber's correction for few runs a parameter, where many lie beyond δ (7.6, second estimate).
        let correction = 1 + Double(theta.count) / count * (1 - slope) / slope
        return 0.5 * t * t * correction * (squares / freedom) / slope
    }

    /// The 80 % interval of parameter `j` by its profile: all other coordinates are fitted anew at every value of θ_j.
    ///
    /// - Returns: the interval, or the better optimum that the search met on its way
    func profile(
        _ j: Int, from best: LocalMinimum, rise: Double, standardError: Double
    ) -> (interval: ProfileInterval?, better: LocalMinimum?) {
        var ends: [(theta: [Double], open: Bool)] = []
        for direction in [-1.0, 1] {
            let end = profileEnd(j, from: best, rise: rise, first: direction * 1.2816 * standardError)
            if let better = end.better { return (nil, better) }
            let open = end.open || reachesBound(j, from: end.theta, side: direction, best, rise)
            ends.append((end.theta, open))
        }
        let values = ends.map { Law(coordinates: $0.theta).parameters[j] }
        return (
            ProfileInterval(
                low: values[0], high: values[1], width: ends[1].theta[j] - ends[0].theta[j], openLow: ends[0].open,
                openHigh: ends[1].open), nil
        )
    }

    /// Whether E_start or E_max may as well be at its bound. There the law no longer depends on it, and one time in ten
    /// noise alone closes an 80 % interval of something that is nowhere determined: the bound must be refuted at 99.9 %.
    private func reachesBound(
        _ j: Int, from theta: [Double], side: Double, _ best: LocalMinimum, _ rise: Double
    ) -> Bool {
        guard Law.metadata.parameters[j].isSaturation else { return false }
        let bound = Law.metadata.bounds[j]
        var start = theta
        start[j] = side < 0 ? bound.lowerBound : bound.upperBound
        guard let end = refine(from: start, holding: [j], steps: 60) else { return false }
        let refuted = (3.090 / 1.2816) * (3.090 / 1.2816) * rise
        return end.value - best.value < refuted
    }

    /// Where the profile of θ_j has risen by `rise`, on the side of `first`, the first step to try.
    private func profileEnd(
        _ j: Int, from best: LocalMinimum, rise: Double, first: Double
    ) -> (theta: [Double], open: Bool, better: LocalMinimum?) {
        let bound = Law.metadata.bounds[j], width = Law.metadata.parameters[j].width
        let side = first < 0 ? -1.0 : 1,
            room = side < 0 ? best.theta[j] - bound.lowerBound : bound.upperBound - best.theta[j]
        // Distance from θ_j, and the square root of the share of the rise there: about a straight line.
        var near = (distance: 0.0, root: 0.0, theta: best.theta), far: (distance: Double, root: Double)?
        var distance = min(max(abs(first), 1e-6 * width), 0.5 * width, room)
        for _ in 0..<14 {
            guard room > 1e-9 else { return (near.theta, true, nil) }
            var start = best.theta
            let stretch = near.distance > 0 ? distance / near.distance : 0
            for k in start.indices { start[k] += stretch * (near.theta[k] - best.theta[k]) }
            start[j] = best.theta[j] + side * distance
            guard let end = refine(from: start, holding: [j], steps: 60) else { break }
            if end.value < best.value - 1e-3 * rise { return (end.theta, false, end) }
            let root = (max(0, end.value - best.value) / rise).squareRoot()
            if abs(root - 1) < 0.02 { return (end.theta, false, nil) }
            if root < 1 {
                if distance >= room { return (end.theta, true, nil) }
                let slope = max((root - near.root) / (distance - near.distance), 1e-12)
                near = (distance, root, end.theta)
                distance =
                    far.map { within(distance, $0.distance, distance + (1 - root) / slope) }
                    ?? min(distance + min((1 - root) / slope * 1.05, 2 * distance), room)
            } else {
                far = (distance, root)
                let slope = (root - near.root) / (distance - near.distance)
                distance = within(near.distance, distance, near.distance + (1 - near.root) / slope)
            }
        }
        return (near.theta, false, nil)
    }

    /// `x`, kept off the ends of `low...high`.
    private func within(_ low: Double, _ high: Double, _ x: Double) -> Double {
        let margin = 0.1 * (high - low)
        return x.isFinite ? min(max(x, low + margin), high - margin) : (low + high) / 2
    }
}

/// The 90 % quantile of Student's t, by its expansion in 1/freedom; of one degree, which the expansion misses by a tenth, exactly.
func studentQuantile90(_ freedom: Double) -> Double {
    if freedom == 1 { return tan(0.4 * .pi) }
    let z = 1.2816
    return z + (pow(z, 3) + z) / (4 * freedom) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * freedom * freedom)
}
