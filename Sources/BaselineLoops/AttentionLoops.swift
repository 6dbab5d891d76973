package import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Loops {
    package static func softmaxNumerators(
        _ scores: Tensor, first: Int, scale: Float, into p: Operand, totals: Vector<Float>, logSumExp: Tensor
    ) {
        var sums = totals.mutableSpan, logs = logSumExp.mutableRow(0)
        for t in 0..<scores.rows {
            let seen = first + t + 1, top = maximum(scores.row(t, 0..<seen))
            let total = exponentials(scores, t, seen: seen, top, scale)
            sums[t] = total
            logs[t] = top * scale + log(total)
        }
        round(scores, into: p)
    }

    package static func divideRows(_ x: Tensor, by totals: Vector<Float>, into y: Operand) {
        switch y {
        case .float32(let y): divide(x, by: totals, into: y)
        case .bfloat16(let y): divide(x, by: totals, into: y)
        }
    }

    package static func scoresBackward(
        _ scores: Tensor, _ dP: Tensor, out: Operand, dOut: Operand, first: Int, scale: Float, logSumExp: Tensor,
        into p: Operand, _ ds: Operand
    ) {
        let logs = logSumExp.row(0)
        for t in 0..<scores.rows {
            backward(scores, dP, t, seen: first + t + 1, scale, logs[t], rowProduct(dOut, out, t))
        }
        round(scores, into: p)
        round(dP, into: ds)
    }
}

/// The first `seen` elements of row `t` become `exp(scale·(s − top))`, the others zero.
/// - Returns: their sum
@inline(__always)
private func exponentials(_ scores: Tensor, _ t: Int, seen: Int, _ top: Float, _ scale: Float) -> Float {
    var row = scores.mutableRow(t), lanes = SIMD16<Float>(), i = 0
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
    var score = scores.mutableRow(t), gradient = gradients.mutableRow(t), i = 0
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

@inline(__always)
private func rowProduct(_ a: Operand, _ b: Operand, _ t: Int) -> Float {
    switch (a, b) {
    case (.float32(let a), .float32(let b)): dot(a.row(t), b.row(t))
    case (.bfloat16(let a), .bfloat16(let b)): dot(a.row(t), b.row(t))
    default: preconditionFailure("operands of different precisions")
    }
}

/// Into bfloat16; in float32 the operand is the matrix's own memory, and nothing is to be done.
@inline(__always)
private func round(_ x: Tensor, into operand: Operand) {
    guard case .bfloat16(let y) = operand else { return }
    for t in 0..<x.rows {
        let row = x.row(t)
        var out = y.mutableRow(t)
        for i in 0..<row.count { out[i] = BFloat16(rounding: row[i]) }
    }
}

private func divide<Element: MatrixElement>(_ x: Tensor, by totals: Vector<Float>, into y: Matrix<Element>) {
    let totals = totals.span
    for t in 0..<y.rows {
        let row = x.row(t), factor = 1 / totals[t]
        var out = y.mutableRow(t)
        for i in 0..<row.count { out[i] = Element(rounding: row[i] * factor) }
    }
}
