import Diagnostics
import Platform

/// How well runs determine the parameters of a fitted law.
package struct Identifiability: Sendable {
    /// Standard error of every coordinate θ; infinite along a flat direction.
    package let standardErrors: [Double]
    /// Why a parameter is not determined, by its index.
    package let undetermined: [Int: String]

    /// From the curvature of the fit at its optimum: `Cov = σ²·H⁻¹`, H the Gauss–Newton matrix, σ² the mean square of
    /// what the fit leaves over.
    ///
    /// A direction along which H vanishes (relative to scaled parameters) is flat whatever the noise; one whose interval
    /// is wider than the parameter's `width` says nothing at this noise. Both count as not determined.
    init<Law: ScalingLaw>(_ problem: FitProblem<Law>, at theta: [Double]) {
        let metadata = Law.metadata, count = theta.count
        let (matrix, scale) = problem.gaussNewton(at: theta).scaled()
        let freedom = max(1, problem.weights.reduce(0, +) - Double(count))
        let variance = 2 * (problem.value(at: theta) - problem.penalty(at: theta)) / freedom
        var variances = Array(repeating: 0.0, count: count)
        var reasons: [Int: String] = [:]
        let directions = matrix.eigen()
        let top = directions.last?.value ?? 1
        for direction in directions {
            let flat = direction.value < 1e-13 * top
            // A small part in a flat direction is enough to be lost along it.
            let lost = direction.vector.indices.filter { abs(direction.vector[$0]) > 1e-3 }
            for j in 0..<count {
                let share = direction.vector[j] / scale[j]
                if !flat {
                    variances[j] += variance * share * share / direction.value
                } else if lost.contains(j) {
                    variances[j] = .infinity
                    let others = lost.filter { $0 != j && abs(direction.vector[$0]) > 0.1 }.map {
                        metadata.parameters[$0].name
                    }
                    reasons[j] =
                        others.isEmpty
                        ? "the loss does not depend on it"
                        : "the loss stays the same along it and " + others.joined(separator: ", ")
                }
            }
        }
        standardErrors = variances.map { $0.squareRoot() }
        undetermined = reasons
    }

    private init(_ standardErrors: [Double], _ undetermined: [Int: String]) {
        (self.standardErrors, self.undetermined) = (standardErrors, undetermined)
    }

    /// The same with what the profiles say: an interval that reaches the parameter's bound, or is too wide, determines
    /// nothing.
    func judging(_ intervals: [ProfileInterval], _ metadata: LawMetadata) -> Identifiability {
        var reasons = undetermined
        for (j, interval) in intervals.enumerated() where reasons[j] == nil {
            let parameter = metadata.parameters[j]
            if interval.openLow || interval.openHigh {
                reasons[j] = Self.openness(parameter, interval)
            } else if !(interval.width <= parameter.width) {
                reasons[j] = Self.vagueness(parameter, interval.width)
            }
        }
        return Identifiability(standardErrors, reasons)
    }

    /// 80 % intervals of every parameter from the standard errors.
    func intervals<Law: ScalingLaw>(_ problem: FitProblem<Law>, at theta: [Double]) -> [ProfileInterval] {
        theta.indices.map { j in
            let ends = [-1.2816, 1.2816].map { deviations in
                var moved = theta
                moved[j] += deviations * standardErrors[j]
                return Law(coordinates: moved).parameters[j]
            }
            return ProfileInterval(
                low: min(ends[0], ends[1]), high: max(ends[0], ends[1]), width: 2 * 1.2816 * standardErrors[j])
        }
    }

    private static func openness(_ parameter: LawParameter, _ interval: ProfileInterval) -> String {
        if interval.openLow, interval.openHigh { return "every value explains the runs about as well" }
        let negligible = interval.openLow && parameter.coordinate != .plain && parameter.coordinate != .positive
        if negligible, !parameter.isSaturation { return "the runs are explained about as well without its term" }
        let end = significant(interval.openLow ? interval.high : interval.low, 3)
        return "every value \(interval.openLow ? "below" : "above") \(end) explains the runs about as well"
    }

    private static func vagueness(_ parameter: LawParameter, _ width: Double) -> String {
        if parameter.coordinate == .plain {
            return "its 80 % interval is \(significant(width, 2)) wide at the runs' noise"
        }
        let factor = width < 200 ? "a factor of \(significant(exp(width), 2))" : "any factor"
        return "its 80 % interval spans \(factor) at the runs' noise"
    }
}
