package import KernelLoops
import Platform
package import Tensors

extension Loops {
    package static func softmaxNumerators(
        _ scores: Tensor, of visible: VisibleKeys, scale: Float, into p: Operand, sums: SoftmaxSums, isFirst: Bool
    ) {
        var maxima = unsafe sums.maxima.unsafeMutableSpan, totals = unsafe sums.totals.unsafeMutableSpan,
            factors = unsafe sums.factors.unsafeMutableSpan
        for t in 0..<scores.rows {
            let seen = visible.keys(ofRow: t, columns: scores.columns)
            guard !seen.isEmpty else {
                // Nor did it see any before: its document begins in a later block.
                clear(scores, t, outside: seen)
                (totals[t], factors[t]) = (0, 0)
                continue
            }
            // What saw a key has a sum of 1 or more.
            let isFirst = isFirst || totals[t] == 0
            var top = maximum(scores.row(t, seen))
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
        _ scores: Tensor, _ dP: Tensor, of visible: VisibleKeys, deltas: Vector<Float>, scale: Float,
        logSumExp: Tensor, into p: Operand, _ ds: Operand
    ) {
        let logs = logSumExp.row(0), deltas = deltas.span
        for t in 0..<scores.rows {
            let seen = visible.keys(ofRow: t, columns: scores.columns)
            backward(scores, dP, t, seen: seen, scale, logs[t], deltas[t])
            clear(scores, t, outside: seen)
            clear(dP, t, outside: seen)
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

extension VisibleKeys {
    /// The columns of a block of `columns` keys that row `t` sees.
    @inline(__always) fileprivate func keys(ofRow t: Int, columns: Int) -> Range<Int> {
        let end = min(query - key + t + 1, columns)
        guard let starts else { return 0..<end }
        return min(max(Int(starts[t]) - key, 0), end)..<end
    }
}

/// The elements of row `t` before and after `seen` become zero.
@inline(__always)
private func clear(_ x: Tensor, _ t: Int, outside seen: Range<Int>) {
    var row = unsafe x.unsafeMutableRow(t)
    for i in 0..<seen.lowerBound { row[i] = 0 }
    for i in seen.upperBound..<row.count { row[i] = 0 }
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

/// The elements `seen` of row `t` become `exp(scale·(s − top))`, the others zero.
/// - Returns: their sum
@inline(__always)
private func exponentials(_ scores: Tensor, _ t: Int, seen: Range<Int>, _ top: Float, _ scale: Float) -> Float {
    var row = unsafe scores.unsafeMutableRow(t), lanes = SIMD16<Float>(), i = seen.lowerBound
    let end = seen.upperBound
    precondition(i >= 0 && end <= row.count)
    while i &+ 16 <= end {
        let value = exponential((row.sixteen(at: i) - top) * scale)
        lanes += value
        row.store(value, at: i)
        i &+= 16
    }
    var total = sumOfLanes(lanes)
    while i < end {
        row[i] = exponential((row[i] - top) * scale)
        total += row[i]
        i &+= 1
    }
    clear(scores, t, outside: seen)
    return total
}

/// Of the elements `seen` of row `t`: scores become probabilities, their gradients the scores'.
@inline(__always)
private func backward(
    _ scores: Tensor, _ gradients: Tensor, _ t: Int, seen: Range<Int>, _ scale: Float, _ logSum: Float, _ delta: Float
) {
    var score = unsafe scores.unsafeMutableRow(t), gradient = unsafe gradients.unsafeMutableRow(t), i = seen.lowerBound
    let end = seen.upperBound
    precondition(i >= 0 && end <= score.count && end <= gradient.count)
    while i &+ 16 <= end {
        let value = exponential(score.sixteen(at: i) * scale - logSum)
        gradient.store(value * (gradient.sixteen(at: i) - delta) * scale, at: i)
        score.store(value, at: i)
        i &+= 16
    }
    while i < end {
        score[i] = exponential(score[i] * scale - logSum)
        gradient[i] = score[i] * (gradient[i] - delta) * scale
        i &+= 1
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
