import Platform

/// The c that minimizes `Σ_i (y_i − Σ_j c_j·X_ij)²`, by Householder reflections (Golub & Van Loan, Matrix Computations, 5.3).
package struct LeastSquares: Sendable {
    /// c
    package let coefficients: [Double]
    /// `y − X·c`
    package let residuals: [Double]
    /// The diagonal of `(XᵀX)⁻¹`: a coefficient's variance over that of y.
    package let variances: [Double]

    /// Rows beyond the number of coefficients.
    var freedom: Int { residuals.count - coefficients.count }
    /// `Σ_i r_i²`
    var squares: Double { residuals.reduce(0) { $0 + $1 * $1 } }

    /// The half width of coefficient j's 80 % interval, from the residuals by Student's t; nil where nothing is left over.
    func halfWidth(_ j: Int) -> Double? {
        guard freedom > 0 else { return nil }
        return studentQuantile90(Double(freedom)) * (variances[j] * squares / Double(freedom)).squareRoot()
    }

    /// Nil where there are too few rows, or a column is a combination of those before it to `tolerance` of its length.
    ///
    /// - Parameters:
    ///   - columns: X, `[coefficients][rows]`
    ///   - target: y, `[rows]`
    ///   - tolerance: below which a column adds nothing
    package init?(_ columns: [[Double]], _ target: [Double], tolerance: Double = 1e-9) {
        let count = columns.count, rows = target.count
        guard count > 0, rows >= count else { return nil }
        // R above the diagonal, the diagonal apart; the reflectors act on y on the way.
        var matrix = columns, y = target, diagonal = Array(repeating: 0.0, count: count)
        for j in 0..<count {
            let length = norm(columns[j][...]), rest = norm(matrix[j][j...])
            guard rest > tolerance * length, rest.isFinite else { return nil }
            diagonal[j] = matrix[j][j] > 0 ? -rest : rest
            var reflector = matrix[j]
            reflector[j] -= diagonal[j]
            let scale = 2 / reflector[j...].reduce(0) { $0 + $1 * $1 }
            for k in j + 1..<max(count, j + 1) { reflect(&matrix[k], by: reflector, from: j, scale) }
            reflect(&y, by: reflector, from: j, scale)
        }
        let inverse = (0..<count).map { j in
            upperSolution(matrix, diagonal, (0..<count).map { $0 == j ? 1 : 0 })
        }
        let solution = upperSolution(matrix, diagonal, y)
        coefficients = solution
        variances = (0..<count).map { j in inverse.reduce(0) { $0 + $1[j] * $1[j] } }
        residuals = (0..<rows).map { i in
            target[i] - (0..<count).reduce(0) { $0 + solution[$1] * columns[$1][i] }
        }
    }
}

private func norm(_ values: ArraySlice<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private func reflect(_ column: inout [Double], by reflector: [Double], from first: Int, _ scale: Double) {
    var dot = 0.0
    for i in first..<column.count { dot += reflector[i] * column[i] }
    for i in first..<column.count { column[i] -= scale * dot * reflector[i] }
}

/// `R⁻¹·y` for the upper triangle of `columns` with `diagonal`.
private func upperSolution(_ columns: [[Double]], _ diagonal: [Double], _ y: [Double]) -> [Double] {
    var x = Array(y.prefix(diagonal.count))
    for i in x.indices.reversed() {
        for k in i + 1..<max(x.count, i + 1) { x[i] -= columns[k][i] * x[k] }
        x[i] /= diagonal[i]
    }
    return x
}
