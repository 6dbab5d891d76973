import Platform

/// `y = k·Π_j x_j^(p_j)` by least squares on `ln y = ln k + Σ_j p_j·ln x_j`, as rules for sizes, rates and batches are.
package struct PowerRule: Sendable, Codable, Equatable {
    /// k
    package let coefficient: Double
    /// 80 % interval of k; nil where no point is left over.
    package let coefficientInterval: [Double]?
    /// p by the name of x.
    package let exponents: [String: Double]
    /// 80 % intervals of p, from the scatter of the points by Student's t; empty where no point is left over.
    package let intervals: [String: [Double]]
    /// Why an x of the rule has no power.
    package let leftOut: [String: String]
    package let points: Int
    /// Root mean square of what is left of ln y, per degree of freedom; nil where no point is left over.
    package let error: Double?

    enum CodingKeys: String, CodingKey {
        case coefficient, exponents, intervals, points, error
        case coefficientInterval = "coefficient_interval"
        case leftOut = "left_out"
    }

    /// One x of a rule: its name, and `ln x` at the points.
    package struct Factor {
        let name: String
        let logs: [Double]

        package init(name: String, logs: [Double]) {
            self.name = name
            self.logs = logs
        }
    }

    /// Of `ln x`: models of one size differ by a hundredth with their routers, from which no power can be told.
    private static let leastRange = 0.1

    /// Nil without points that differ in x, or where a rule of one power has fewer than two.
    ///
    /// An x joins only if the points differ in it by more than `leastRange`, and differ in it otherwise than in those before it.
    ///
    /// - Parameters:
    ///   - factors: in the order in which they join
    ///   - logs: ln y of the points
    package init?(_ factors: [Factor], _ logs: [Double]) {
        var joined: [Factor] = [], reasons: [String: String] = [:]
        for factor in factors {
            let columns = (joined + [factor]).map { centered($0.logs) }
            let range = (factor.logs.max() ?? 0) - (factor.logs.min() ?? 0)
            if range < Self.leastRange {
                reasons[factor.name] = "it is \(range < 1e-6 ? "" : "nearly ")the same at all points"
            } else if logs.count < columns.count + 1 {
                reasons[factor.name] = "there are too few points"
            } else if LeastSquares(columns, logs, tolerance: 0.02) == nil {
                reasons[factor.name] = "it goes with \(joined.map(\.name).joined(separator: " and ")) at all points"
            } else {
                joined.append(factor)
            }
        }
        let ones = Array(repeating: 1.0, count: logs.count)
        guard !joined.isEmpty, let fit = LeastSquares([ones] + joined.map(\.logs), logs) else { return nil }
        let ends = { (j: Int) -> [Double]? in
            fit.halfWidth(j).map { [fit.coefficients[j] - $0, fit.coefficients[j] + $0] }
        }
        coefficient = exp(fit.coefficients[0])
        coefficientInterval = ends(0).map { $0.map(exp) }
        let numbered = joined.enumerated().map { (name: $1.name, index: $0 + 1) }
        exponents = Dictionary(uniqueKeysWithValues: numbered.map { ($0.name, fit.coefficients[$0.index]) })
        intervals = Dictionary(uniqueKeysWithValues: numbered.compactMap { x in ends(x.index).map { (x.name, $0) } })
        leftOut = reasons
        points = logs.count
        error = fit.freedom > 0 ? (fit.squares / Double(fit.freedom)).squareRoot() : nil
    }

    /// Returns y.
    ///
    /// - Parameter values: x by name; those without a power are not read
    package func value(at values: [String: Double]) -> Double {
        exponents.reduce(coefficient) { product, power in product * pow(values[power.key] ?? 1, power.value) }
    }
}

private func centered(_ values: [Double]) -> [Double] {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.map { $0 - mean }
}
