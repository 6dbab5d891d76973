import Randomness
import Tensors
import Testing

/// One evaluation of the function whose gradient is checked.
struct Evaluation {
    var value: Double
    /// What rounding scales with: the root of the sum of squares of the float32 terms that were added in doubles, and of
    /// what their inner roundings amount to.
    var magnitude: Double
    /// Digests of the layers' routes: the loss jumps where a route does, so a slope across a jump says nothing.
    var routes: [UInt64] = []
}

/// Gradients against central differences along random directions of signs, in float32 with a bound on the error.
///
/// With `D(h) = (f(x+hs) − f(x−hs)) / 2h`, Richardson's `(4D(h) − D(2h))/3` has a truncation error of order h⁴. x and h
/// are multiples of 2^−14, so the points themselves are exact. f is a double sum of float32 terms with a few rounding
/// errors of 2^−24 each, independent of each other, so f errs by a few `2^−24·magnitude`, and the slope by that over h.
/// The bound is `5e-5·‖g‖ + 4·2^−24·magnitude/h`. `g·s` has the root mean square `‖g‖`, so a backward pass that lacks a
/// term of a thousandth of the gradient fails on one of the directions.
struct GradientCheck {
    static let directions = 6

    /// h, a power of two from 2^−14 on. The deeper the function, the faster it turns and the smaller h must be.
    let step: Float
    private(set) var largest = 0.0
    private(set) var at = ""
    private(set) var complaints: [String] = []

    init(step: Float) { self.step = step }

    /// - Parameters:
    ///   - variable: x, restored afterwards
    ///   - gradient: `∂f/∂x` as the backward pass says
    mutating func check(
        _ name: String, _ variable: Vector<Float>, gradient: [Double], _ evaluate: () throws -> Evaluation
    ) rethrows {
        let start = variable.array
        let base = try evaluate()
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let bound = 5e-5 * norm + 4 * 0x1p-24 * base.magnitude / Double(step)
        let random = RandomFunction(seed: 1, purpose: .tests, stream: UInt64(start.count))
        var accepted = 0
        // A direction along which a route changes is drawn again.
        for attempt in 0..<20 * Self.directions where accepted < Self.directions {
            let signs = start.indices.map { i -> Float in
                random.bits(UInt64(attempt * start.count + i)) & 1 == 0 ? 1 : -1
            }
            let points = try [Float(-2), -1, 1, 2].map { multiple -> Evaluation in
                for i in start.indices { variable[i] = start[i] + step * multiple * signs[i] }
                return try evaluate()
            }
            guard points.allSatisfy({ $0.routes == base.routes }) else { continue }
            accepted += 1
            let f = points.map { $0.value }, h = Double(step)
            let near = (f[2] - f[1]) / (2 * h), far = (f[3] - f[0]) / (4 * h)
            let numeric = (4 * near - far) / 3
            let analytic = zip(gradient, signs).reduce(0) { $0 + $1.0 * Double($1.1) }
            let share = abs(numeric - analytic) / bound
            if share > largest { (largest, at) = (share, name) }
            if !(share <= 1) {
                complaints.append("\(name): slope \(numeric), gradient \(analytic), bound \(bound), norm \(norm)")
            }
        }
        for i in start.indices { variable[i] = start[i] }
        if accepted < Self.directions { complaints.append("\(name): too close to a change of route") }
    }

    /// Fails the test that runs if anything was beyond its bound.
    func report(_ what: some Any, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(complaints.isEmpty, sourceLocation: sourceLocation)
        print("gradients of \(what): largest deviation \(largest) of its bound, at \(at)")
    }
}

/// Uniform multiples of 2^−14 in `center ± scale`.
func fill(_ vector: Vector<Float>, seed: UInt64, stream: UInt64 = 0, center: Double = 0, scale: Double = 1) {
    let random = RandomFunction(seed: seed, purpose: .tests, stream: stream)
    for i in 0..<vector.count {
        vector[i] = Float(((center + scale * (2 * random.uniform(UInt64(i)) - 1)) * 0x1p14).rounded() * 0x1p-14)
    }
}

/// `Σ cᵢ·yᵢ`: a scalar of a layer's output whose gradient is c.
func weightedSum(_ y: Tensor, _ c: Tensor) -> Evaluation {
    var sum = 0.0, squares = 0.0
    for t in 0..<y.rows {
        for i in 0..<y.columns {
            let term = Double(y[t, i]) * Double(c[t, i])
            sum += term
            squares += term * term
        }
    }
    return Evaluation(value: sum, magnitude: squares.squareRoot())
}
