import Platform

extension LawMetadata {
    /// All combinations of the recipe's start values, as θ.
    package var grid: [[Double]] { combinations(of: recipe.grid).map { coordinates(of: $0) } }

    /// The same with one value for every coefficient in which the law is linear.
    var exponentGrid: [[Double]] {
        let values = parameters.indices.map { i in
            if case .coefficient = parameters[i].coordinate { return [recipe.grid[i][0]] }
            return recipe.grid[i]
        }
        return combinations(of: values).map { coordinates(of: $0) }
    }
}

private func combinations(of choices: [[Double]]) -> [[Double]] {
    choices.reduce([[]]) { starts, values in starts.flatMap { start in values.map { start + [$0] } } }
}

extension FitProblem {
    /// θ with the coefficients that suit its exponents best: variable projection.
    ///
    /// For given exponents `L = Σ_k c_k·φ_k(x)` plus what has no coefficient; minimizes `Σ_i w_i·(L(x_i)/L_i − 1)²` over c ≥ 0 by coordinate
    /// descent. Relative residuals stand for log residuals, which is enough for a start (Golub & Pereyra 1973).
    func projected(_ theta: [Double]) -> [Double] {
        let coefficients = Law.metadata.parameters.enumerated().compactMap { index, parameter -> (Int, Int)? in
            if case .coefficient(let term) = parameter.coordinate { return (index, term) }
            return nil
        }
        guard !coefficients.isEmpty else { return theta }
        var bare = theta
        for (index, _) in coefficients { bare[index] = 0 }
        let (basis, fixed) = relativeBasis(bare, terms: coefficients.map(\.1))
        let fitted = nonNegativeFit(basis, to: fixed.map { 1 - $0 })
        for (place, (index, _)) in coefficients.enumerated() {
            // A term that is not wanted stays small but alive, so that descent can bring it back.
            let typical = basis[place].reduce(0, +) / Double(points.count)
            bare[index] = log(max(fitted[place], 1e-3 / max(typical, 1e-300)))
        }
        return bare.allSatisfy(\.isFinite) ? bare : theta
    }

    /// `φ_k(x_i)/L_i` of `terms`, `[terms][runs]`, and the sum of the other terms over `L_i`, `[runs]`.
    private func relativeBasis(_ theta: [Double], terms: [Int]) -> (basis: [[Double]], fixed: [Double]) {
        let law = Law(coordinates: theta)
        var sheet = LawTerms(for: Law.metadata)
        var basis = terms.map { _ in [Double]() }, fixed: [Double] = []
        let others = (0..<sheet.terms).filter { !terms.contains($0) }
        for i in points.indices {
            law.terms(at: points[i], into: &sheet)
            for (place, term) in terms.enumerated() { basis[place].append(exp(sheet.logs[term]) / losses[i]) }
            fixed.append(others.reduce(0) { $0 + exp(sheet.logs[$1]) / losses[i] })
        }
        return (basis, fixed)
    }

    /// `c ≥ 0` that brings `Σ_k c_k·basis_k` closest to `wanted`.
    private func nonNegativeFit(_ basis: [[Double]], to wanted: [Double]) -> [Double] {
        let dot = { (a: [Double], b: [Double]) in
            a.indices.reduce(0.0) { $0 + weights[$1] * a[$1] * b[$1] }
        }
        let products = basis.map { a in basis.map { dot(a, $0) } }
        let target = basis.map { dot($0, wanted) }
        var c = Array(repeating: 0.0, count: basis.count)
        for _ in 0..<500 {
            for k in c.indices where products[k][k] > 0 {
                let others = c.indices.reduce(0.0) { $0 + ($1 == k ? 0 : products[k][$1] * c[$1]) }
                c[k] = max(0, (target[k] - others) / products[k][k])
            }
        }
        return c
    }
}
