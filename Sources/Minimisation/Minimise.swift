import CLBFGS

/// A smooth function: reads a point, writes its gradient there, returns its value.
package typealias Objective = (_ point: Span<Double>, _ gradient: inout MutableSpan<Double>) -> Double

/// When L-BFGS stops.
package struct MinimisationLimits: Sendable {
    /// Stop when `‖gradient‖ < tolerance · max(1, ‖point‖)`.
    package var tolerance = 1e-10
    /// Stop when ten iterations together lowered the value by less than this share of it; 0 for never.
    package var progress = 0.0
    /// Stop after this many iterations; 0 for never.
    package var iterations = 0
    /// Corrections remembered for the inverse Hessian.
    package var memory = 12

    package init() {}
}

/// Where L-BFGS stopped.
package struct Minimum: Sendable {
    package enum Reason: Sendable, Equatable {
        /// The gradient or the progress is below its limit.
        case converged
        /// No step along the last direction lowers the value: rounding, or a function that is not smooth there.
        case stalled
        case outOfIterations
    }

    package let point: [Double]
    package let value: Double
    package let reason: Reason
    package let evaluations: Int
}

/// Minimises `objective` from `start` by L-BFGS with the line search of Moré and Thuente.
///
/// Liu & Nocedal, Mathematical Programming 45 (1989); liblbfgs `lbfgs()`.
/// - Parameter objective: called on this thread only; a value that is not finite ends the search where it is
/// - Returns: the best point reached; never worse than `start`
package func minimise(
    from start: [Double], within limits: MinimisationLimits = MinimisationLimits(), _ objective: Objective
) -> Minimum {
    precondition(!start.isEmpty, "nothing to minimise over")
    return withoutActuallyEscaping(objective) { objective in
        let search = Search(objective)
        let (point, code) = search.run(from: start, limits)
        let value = search.value(at: point)
        return Minimum(point: point, value: value, reason: reason(of: code), evaluations: search.evaluations)
    }
}

private func reason(of code: Int32) -> Minimum.Reason {
    if code >= 0 { return .converged }
    return code == Int32(LBFGSERR_MAXIMUMITERATION) ? .outOfIterations : .stalled
}
