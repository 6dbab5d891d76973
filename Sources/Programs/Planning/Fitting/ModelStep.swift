/// Where a step may end: bounds of every coordinate, relative to the present point.
struct StepBox: Sendable {
    var low, high: [Double]

    /// The box of `bounds` around `theta`, cut to steps of `radius · widths`.
    init(_ bounds: [ClosedRange<Double>], around theta: [Double], radius: Double, widths: [Double]) {
        low = theta.indices.map { max(bounds[$0].lowerBound - theta[$0], -radius * widths[$0]) }
        high = theta.indices.map { min(bounds[$0].upperBound - theta[$0], radius * widths[$0]) }
    }
}

extension LocalModel {
    /// The step in `box` that minimizes q, and q's decrease.
    ///
    /// Newton's method on the free coordinates with exact line searches; the Huber loss's second derivative beyond δ goes
    /// from that of reweighted least squares to zero, so that far from the minimum the matrix is well conditioned and near
    /// it convergence is finite. A coordinate that meets its bound is fixed, and freed when the others are done and q still
    /// falls inward: the active-set method (Nocedal & Wright, Numerical Optimization, 16.5).
    func minimizer(in box: StepBox) -> (step: [Double], decrease: Double) {
        let count = box.low.count
        var d = Array(repeating: 0.0, count: count), bend = 0.3, decrease = 0.0
        var fixed = Set((0..<count).filter { box.low[$0] >= 0 || box.high[$0] <= 0 }), blocked: Set<Int> = []
        var start: Double?
        for _ in 0..<40 {
            let (value, gradient, hessian) = expand(at: d, bend: bend)
            if start == nil { start = value }
            decrease = (start ?? value) - value
            let tolerance = max(1e-4 * decrease, 1e-15 * value)
            let free = (0..<count).filter { !fixed.contains($0) }
            let direction = free.isEmpty ? nil : hessian.newtonStep(gradient, free)
            let expected = direction.map { step in -free.reduce(0) { $0 + step[$1] * gradient[$1] } } ?? 0
            guard let direction, expected > tolerance else {
                let inward = fixed.subtracting(blocked).filter { j in
                    box.low[j] < box.high[j] && (d[j] <= box.low[j] ? gradient[j] < 0 : gradient[j] > 0)
                }
                let gain = { (j: Int) in gradient[j] * gradient[j] / max(abs(hessian[j, j]), 1e-300) }
                guard let freed = inward.max(by: { gain($0) < gain($1) }), gain(freed) > tolerance else { break }
                fixed.remove(freed)
                continue
            }
            let limit = free.map { room(d[$0], direction[$0], box.low[$0], box.high[$0]) }.min() ?? 0
            let t = exactStep(from: d, along: direction, upTo: limit)
            let met = t < limit ? [] : free.filter { room(d[$0], direction[$0], box.low[$0], box.high[$0]) <= limit }
            for j in free { d[j] = min(max(d[j] + t * direction[j], box.low[j]), box.high[j]) }
            for j in met { d[j] = direction[j] > 0 ? box.high[j] : box.low[j] }
            fixed.formUnion(met)
            blocked = t > 0 ? [] : blocked.union(met)
            bend = bend < 1e-3 ? 0 : bend * 0.1
        }
        return (d, decrease)
    }

    /// How far `x` can go along `direction`.
    private func room(_ x: Double, _ direction: Double, _ low: Double, _ high: Double) -> Double {
        if direction > 0 { return max(0, (high - x) / direction) }
        return direction < 0 ? max(0, (low - x) / direction) : .infinity
    }
}

extension SymmetricMatrix {
    /// `−A⁻¹·gradient` on the coordinates `free`, zero elsewhere; A damped until it is positive definite.
    func newtonStep(_ gradient: [Double], _ free: [Int]) -> [Double]? {
        var part = SymmetricMatrix(size: free.count)
        let scale = free.map { j in
            let root = abs(self[j, j]).squareRoot()
            return root > 0 ? root : 1
        }
        for a in free.indices {
            for b in free.indices { part[a, b] = self[free[a], free[b]] / (scale[a] * scale[b]) }
        }
        var damping = 1e-13
        while damping < 1e3 {
            if let lower = part.cholesky(damping: damping) {
                let x = lower.solve(free.indices.map { -gradient[free[$0]] / scale[$0] })
                var step = Array(repeating: 0.0, count: size)
                for a in free.indices { step[free[a]] = x[a] / scale[a] }
                return step.allSatisfy(\.isFinite) ? step : nil
            }
            damping *= 100
        }
        return nil
    }
}
