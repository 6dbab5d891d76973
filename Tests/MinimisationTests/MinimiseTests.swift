import Minimisation
import Testing

@Suite struct MinimiseTests {
    /// Rosenbrock's valley in any number of dimensions: one minimum, 0 at (1, …, 1).
    private func valley(_ x: Span<Double>, _ gradient: inout MutableSpan<Double>) -> Double {
        var value = 0.0
        for i in 0..<gradient.count { gradient[i] = 0 }
        for i in 0..<x.count - 1 {
            let rise = x[i + 1] - x[i] * x[i], run = 1 - x[i]
            value += 100 * rise * rise + run * run
            gradient[i] += -400 * x[i] * rise - 2 * run
            gradient[i + 1] += 200 * rise
        }
        return value
    }

    /// Odd sizes too: the library pads its vectors, and the padding must not reach the objective.
    @Test(arguments: [2, 3, 5, 7, 11, 16])
    func findsTheMinimumOfACurvedValley(dimensions: Int) {
        let start = (0..<dimensions).map { $0.isMultiple(of: 2) ? -0.5 : 0.8 }
        let minimum = minimise(from: start) { x, gradient in
            #expect(x.count == dimensions && gradient.count == dimensions)
            return valley(x, &gradient)
        }
        #expect(minimum.reason == .converged)
        #expect(minimum.value < 1e-15)
        #expect(minimum.point.allSatisfy { abs($0 - 1) < 1e-6 })
    }

    @Test func stopsAfterTheAllowedIterations() {
        var limits = MinimisationLimits()
        limits.iterations = 3
        let minimum = minimise(from: [-1.2, 1], within: limits, valley)
        #expect(minimum.reason == .outOfIterations)
        #expect(minimum.value < 24.2 && minimum.value > 1e-3)
    }

    @Test func aFunctionThatIsNotFiniteDoesNotHang() {
        let minimum = minimise(from: [0.5, 2]) { _, gradient in
            gradient[0] = .nan
            gradient[1] = .nan
            return .nan
        }
        #expect(minimum.evaluations < 1000)
    }
}
