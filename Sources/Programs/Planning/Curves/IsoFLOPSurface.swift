import Platform

/// The loss of all kinds at one budget, `L = d + Σ_{i=1,2} (a_i·n^i + b_i·s^i + c_i·(n·s)^i)`, n = ln N and s = −ln(1 − S): a
/// polynomial of degree (2, 2, 2) by least squares.
///
/// Abnar et al. 2025 (arXiv:2501.12370). N is all parameters, S = (E − K)/E the ratio of experts that rest. Which degrees the
/// paper's triple counts is taken to be those of n, of s and of their product.
package struct IsoFLOPSurface: Sendable {
    package let flops: Double
    package let runs: Int
    /// d, a₁, a₂, b₁, b₂, c₁, c₂
    package let coefficients: [Double]
    /// Root mean square of what is left over per degree of freedom, nats.
    package let error: Double
    /// The sparsities of the runs, ascending, with the N of lowest loss there; nil where the surface has none between the
    /// runs of that sparsity.
    package let optima: [(sparsity: Double, total: Double?)]

    /// Nil where the runs do not determine a surface with something left over: fewer than three sparsities, three sizes or
    /// eight runs.
    ///
    /// - Parameter runs: of one budget
    init?(_ runs: [RunMeasurement]) {
        let n = runs.map(\.point.logTotal), s = runs.map { sparsityCoordinate($0.point) }
        guard Set(s).count >= 3, Set(n).count >= 3, runs.count >= 8,
            let fit = LeastSquares(surfaceColumns(n, s), runs.map(\.loss))
        else { return nil }
        let c = fit.coefficients
        flops = geometricMean(runs.map(\.point.flops))
        self.runs = runs.count
        coefficients = c
        error = (fit.squares / Double(fit.freedom)).squareRoot()
        optima = Set(s).sorted().map { place in
            let sizes = zip(n, s).filter { $0.1 == place }.map(\.0)
            let slope = c[1] + c[5] * place, bend = c[2] + c[6] * place * place
            let best = -slope / (2 * bend)
            let isInside = bend > 0 && best > (sizes.min() ?? 0) && best < (sizes.max() ?? 0)
            return (1 - exp(-place), isInside ? exp(best) : nil)
        }
    }

    /// Returns the loss of the surface, nats.
    ///
    /// - Parameters:
    ///   - total: N
    ///   - sparsity: S
    package func loss(total: Double, sparsity: Double) -> Double {
        zip(coefficients, surfaceColumns([log(total)], [-log(1 - sparsity)])).reduce(0) { $0 + $1.0 * $1.1[0] }
    }
}

/// `−ln(1 − S) = ln(E/K)`
private func sparsityCoordinate(_ point: ScalePoint) -> Double { log(point.experts / point.topK) }

private func surfaceColumns(_ n: [Double], _ s: [Double]) -> [[Double]] {
    let product = zip(n, s).map { $0 * $1 }
    return [n.map { _ in 1 }] + [n, s, product].flatMap { [$0, $0.map { $0 * $0 }] }
}
