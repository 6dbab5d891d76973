package import KernelLoops
import Platform
package import Tensors

extension Loops {
    package static func softmaxNumerators(
        _ scores: Tensor, first: Int, scale: Float, into p: Operand, sums: SoftmaxSums, isFirst: Bool
    ) {
        var maxima = unsafe sums.maxima.unsafeMutableSpan, totals = unsafe sums.totals.unsafeMutableSpan,
            factors = unsafe sums.factors.unsafeMutableSpan
        for t in 0..<scores.rows {
            let seen = min(first + t + 1, scores.columns)
            var top = maximum(scores.row(t, 0..<seen))
            if !isFirst { top = maxima[t] > top ? maxima[t] : top }
            let total = exponentials(scores, t, seen: seen, top, scale)
            factors[t] = isFirst ? 0 : exponential((maxima[t] - top) * scale)
            totals[t] = isFirst ? total : totals[t] * factors[t] + total
            maxima[t] = top
        }
        round(scores, into: p)
    }

    package static func finishSoftmax(
        _ x: Tensor, sums: SoftmaxSums, scale: Float, into y: Operand, logSumExp: Tensor
    ) {
        let maxima = sums.maxima.span, totals = sums.totals.span
        var logs = unsafe logSumExp.unsafeMutableRow(0)
        for t in 0..<x.rows { logs[t] = scale * maxima[t] + log(totals[t]) }
        switch y {
        case .float32(let y): divide(x, by: sums.totals, into: y)
        case .bfloat16(let y): divide(x, by: sums.totals, into: y)
        }
    }

    package static func scaleRows(_ x: Tensor, by factors: Vector<Float>) {
        let factors = factors.span
        for t in 0..<x.rows {
            let factor = factors[t]
            var row = unsafe x.unsafeMutableRow(t)
            for i in 0..<row.count { row[i] *= factor }
        }
    }

    package static func rowProducts(_ dOut: Operand, _ out: Operand, into deltas: Vector<Float>) {
        switch (dOut, out) {
        case (.float32(let a), .float32(let b)): products(a, b, into: deltas)
        case (.bfloat16(let a), .bfloat16(let b)): products(a, b, into: deltas)
        default: preconditionFailure("operands of different precisions")
        }
    }

    package static func scoresBackward(
        _ scores: Tensor, _ dP: Tensor, deltas: Vector<Float>, first: Int, scale: Float, logSumExp: Tensor,
        into p: Operand, _ ds: Operand
    ) {
        let logs = logSumExp.row(0), deltas = deltas.span
        for t in 0..<scores.rows {
            backward(scores, dP, t, seen: min(first + t + 1, scores.columns), scale, logs[t], deltas[t])
        }
        round(scores, into: p)
        round(dP, into: ds)
    }

    package static func copyRows(_ x: Operand, into y: Operand) {
        switch (x, y) {
        case (.float32(let x), .float32(let y)): copy(x, into: y)
        case (.bfloat16(let x), .bfloat16(let y)): copy(x, into: y)
        case (.float32(let x), .bfloat16(let y)): convert(x, into: y)
        case (.bfloat16(let x), .float32(let y)): convert(x, into: y)
        }
    }
}

private func copy<Element: MatrixElement>(_ x: Matrix<Element>, into y: Matrix<Element>) {
    for t in 0..<x.rows {
        let row = x.row(t)
        var out = unsafe y.unsafeMutableRow(t)
        for i in 0..<row.count { out[i] = row[i] }
    }
}

private func convert<Source: MatrixElement, Target: MatrixElement>(_ x: Matrix<Source>, into y: Matrix<Target>) {
    for t in 0..<x.rows {
        let row = x.row(t)
        var out = unsafe y.unsafeMutableRow(t)
        for i in 0..<row.count { out[i] = Target(rounding: row[i].float) }
    }
}

private func products<Element: MatrixElement>(
    _ a: Matrix<Element>, _ b: Matrix<Element>, into deltas: Vector<Float>
) {
    var deltas = unsafe deltas.unsafeMutableSpan
    for t in 0..<a.rows { deltas[t] = dot(a.row(t), b.row(t)) }
}

/// The first `seen` elements of row `t` become `exp(scale·(s − top))`, the others zero.
/// - Returns: their sum
@inline(__always)
private func exponentials(_ scores: Tensor, _ t: Int, seen: Int, _ top: Float, _ scale: Float) -> Float {
    var row = unsafe scores.unsafeMutableRow(t), lanes = SIMD16<Float>(), i = 0
    precondition(seen <= row.count)
    while i &+ 16 <= seen {
        let value = exponential((row.sixteen(at: i) - top) * scale)
        lanes += value
        row.store(value, at: i)
        i &+= 16
    }
    var total = sumOfLanes(lanes)
    while i < seen {
        row[i] = exponential((row[i] - top) * scale)
        total += row[i]
        i &+= 1
    }
    for i in seen..<row.count { row[i] = 0 }
    return total
}

/// Of the first `seen` elements of row `t`: scores become probabilities, their gradients the scores'.
@inline(__always)
private func backward(
    _ scores: Tensor, _ gradients: Tensor, _ t: Int, seen: Int, _ scale: Float, _ logSum: Float, _ delta: Float
) {
    var score = unsafe scores.unsafeMutableRow(t), gradient = unsafe gradients.unsafeMutableRow(t), i = 0
    precondition(seen <= score.count && seen <= gradient.count)
    while i &+ 16 <= seen {
        let value = exponential(score.sixteen(at: i) * scale - logSum)
        gradient.store(value * (gradient.sixteen(at: i) - delta) * scale, at: i)
        score.store(value, at: i)
        i &+= 16
    }
    while i < seen {
        score[i] = exponential(score[i] * scale - logSum)
        gradient[i] = score[i] * (gradient[i] - delta) * scale
        i &+= 1
    }
    for i in seen..<score.count {
        score[i] = 0
        gradient[i] = 0
    }
}

/// Into bfloat16; in float32 the operand is the matrix's own memory, and nothing is to be done.
@inline(__always)
private func round(_ x: Tensor, into operand: Operand) {
    guard case .bfloat16(let y) = operand else { return }
    convert(x, into: y)
}

private func divide<Element: MatrixElement>(_ x: Tensor, by totals: Vector<Float>, into y: Matrix<Element>) {
    let totals = totals.span
    for t in 0..<y.rows {
        let row = x.row(t), factor = 1 / totals[t]
        var out = unsafe y.unsafeMutableRow(t)
        for i in 0..<row.count { out[i] = Element(rounding: row[i] * factor) }
    }
}
