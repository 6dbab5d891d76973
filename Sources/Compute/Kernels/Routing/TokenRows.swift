package import Tensors
package import Threading

// Local copies between a lane's tokens and the rows that travel to experts. `rowOf[t·k + j]` is the row of token t's
// j-th choice among the seats, or −1 if it found none.

/// `rows[rowOf[t, j]] = x_t`
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - rows: `[seats, dModel]`, rounded to its precision
package func scatterToSeats(_ x: Tensor, k: Int, rowOf: Vector<Int32>, into rows: Operand, on workers: Workers) {
    switch rows {
    case .float32(let rows): scatter(x, k: k, rowOf: rowOf, into: rows, on: workers)
    case .bfloat16(let rows): scatter(x, k: k, rowOf: rowOf, into: rows, on: workers)
    }
}

private func scatter<Element: MatrixElement>(
    _ x: Tensor, k: Int, rowOf: Vector<Int32>, into rows: Matrix<Element>, on workers: Workers
) {
    workers.run(over: x.rows, tile: rowTile) { tokens in
        for t in tokens {
            for j in 0..<k {
                let row = Int(rowOf[t * k + j])
                if row >= 0 { copy(x.row(t), into: rows, row: row) }
            }
        }
    }
}

/// `y_t += Σ_j g_j·answers[rowOf[t, j]]`, choices in order of rank.
package func combineAnswers(
    _ answers: Operand, k: Int, rowOf: Vector<Int32>, gates: Vector<Float>, addingTo y: Tensor, on workers: Workers
) {
    switch answers {
    case .float32(let rows): gather(rows, k: k, rowOf: rowOf, addingTo: y, on: workers) { gates[$0] }
    case .bfloat16(let rows): gather(rows, k: k, rowOf: rowOf, addingTo: y, on: workers) { gates[$0] }
    }
}

/// Backward of `scatterToSeats`: `dx_t += Σ_j dRows[rowOf[t, j]]`, choices in order of rank.
package func scatterToSeatsBackward(
    _ dRows: Operand, k: Int, rowOf: Vector<Int32>, addingTo dx: Tensor, on workers: Workers
) {
    switch dRows {
    case .float32(let rows): gather(rows, k: k, rowOf: rowOf, addingTo: dx, on: workers) { _ in 1 }
    case .bfloat16(let rows): gather(rows, k: k, rowOf: rowOf, addingTo: dx, on: workers) { _ in 1 }
    }
}

/// `y_t += Σ_j factor(t·k + j)·rows[rowOf[t, j]]`
@inline(__always)
private func gather<Element: MatrixElement>(
    _ rows: Matrix<Element>, k: Int, rowOf: Vector<Int32>, addingTo y: Tensor, on workers: Workers,
    factor: @Sendable (Int) -> Float
) {
    workers.run(over: y.rows, tile: rowTile) { tokens in
        for t in tokens {
            for choice in t * k..<(t + 1) * k {
                let row = Int(rowOf[choice])
                guard row >= 0 else { continue }
                let source = rows.row(row), scale = factor(choice)
                var out = y.mutableRow(t)
                for c in 0..<source.count { out[c] += scale * source[c].float }
            }
        }
    }
}

/// Backward of `combineAnswers`: `dAnswers[rowOf[t, j]] = g_j·dy_t`, `dg_j = dy_t · answers[rowOf[t, j]]`.
/// - Parameter dAnswers: `[seats, dModel]`, in the precision of the answers
package func combineAnswersBackward(
    _ dy: Tensor, answers: Operand, k: Int, rowOf: Vector<Int32>, gates: Vector<Float>, dAnswers: Operand,
    dGates: Vector<Float>, on workers: Workers
) {
    let choices = GatedChoices(k: k, rowOf: rowOf, gates: gates, dGates: dGates)
    switch (answers, dAnswers) {
    case (.float32(let answers), .float32(let dAnswers)): choices.backward(dy, answers, dAnswers, workers)
    case (.bfloat16(let answers), .bfloat16(let dAnswers)): choices.backward(dy, answers, dAnswers, workers)
    default: preconditionFailure("operands of different precisions")
    }
}

private struct GatedChoices: Sendable {
    let k: Int
    let rowOf: Vector<Int32>
    let gates: Vector<Float>
    let dGates: Vector<Float>

    func backward<Element: MatrixElement>(
        _ dy: Tensor, _ answers: Matrix<Element>, _ dAnswers: Matrix<Element>, _ workers: Workers
    ) {
        workers.run(over: dy.rows, tile: rowTile) { tokens in
            for t in tokens {
                let gradient = dy.row(t)
                for i in t * k..<(t + 1) * k {
                    let row = Int(rowOf[i])
                    guard row >= 0 else {
                        dGates[i] = 0
                        continue
                    }
                    dGates[i] = dot(gradient, answers.row(row))
                    let gate = gates[i]
                    var out = dAnswers.mutableRow(row)
                    for c in 0..<gradient.count { out[c] = Element(rounding: gate * gradient[c]) }
                }
            }
        }
    }
}
