import CLBFGS

/// One call of `lbfgs()`: the objective on its way through C, and how often it was asked.
final class Search {
    private let objective: Objective
    private(set) var evaluations = 0

    init(_ objective: @escaping Objective) { self.objective = objective }

    /// The value alone.
    func value(at point: [Double]) -> Double {
        var gradient = [Double](repeating: 0, count: point.count)
        var view = gradient.mutableSpan
        return objective(point.span, &view)
    }

    /// - Returns: the point where the library stopped, and its status code
    func run(from start: [Double], _ limits: MinimisationLimits) -> (point: [Double], code: Int32) {
        // The library's own allocator: its vector loops want aligned memory, rounded up in length.
        guard let x = unsafe lbfgs_malloc(Int32(start.count)) else { return (start, Int32(LBFGSERR_OUTOFMEMORY)) }
        defer { unsafe lbfgs_free(x) }
        for i in start.indices { unsafe x[i] = start[i] }
        var parameters = Self.parameters(limits)
        let code = unsafe lbfgs(
            Int32(start.count), x, nil,
            { context, point, gradient, count, _ in
                let search = unsafe Unmanaged<Search>.fromOpaque(context!).takeUnretainedValue()
                return unsafe search.evaluate(point!, gradient!, Int(count))
            },
            nil, Unmanaged.passUnretained(self).toOpaque(), &parameters)
        return (start.indices.map { unsafe x[$0] }, code)
    }

    private func evaluate(
        _ point: UnsafePointer<Double>, _ gradient: UnsafeMutablePointer<Double>, _ count: Int
    ) -> Double {
        evaluations += 1
        let x = unsafe Span(_unsafeStart: point, count: count)
        var g = unsafe MutableSpan(_unsafeStart: gradient, count: count)
        return objective(x, &g)
    }

    private static func parameters(_ limits: MinimisationLimits) -> lbfgs_parameter_t {
        var parameters = lbfgs_parameter_t()
        unsafe lbfgs_parameter_init(&parameters)
        parameters.m = Int32(limits.memory)
        parameters.epsilon = limits.tolerance
        parameters.max_iterations = Int32(limits.iterations)
        if limits.progress > 0 {
            parameters.past = 10
            parameters.delta = limits.progress
        }
        return parameters
    }
}
