package import Tensors
package import Workers

// Local copies between a lane's tokens and the rows that travel to experts. `rowOf[t·k + j]` is the row of token t's
// j-th choice among the seats, or −1 if it found none.

/// `rows[rowOf[t, j]] = x_t`
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - rows: `[seats, dModel]`
package func scatterToSeats(_ x: Tensor, k: Int, rowOf: Vector<Int32>, into rows: Tensor, on workers: Workers) {
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
    _ answers: Tensor, k: Int, rowOf: Vector<Int32>, gates: Vector<Float>, addingTo y: Tensor, on workers: Workers
) {
    workers.run(over: y.rows, tile: rowTile) { tokens in
        for t in tokens {
            for j in 0..<k {
                let row = Int(rowOf[t * k + j])
                guard row >= 0 else { continue }
                addScaled(answers.row(row), gates[t * k + j], to: y, row: t)
            }
        }
    }
}

/// Backward of `combineAnswers`: `dAnswers[rowOf[t, j]] = g_j·dy_t`, `dg_j = dy_t · answers[rowOf[t, j]]`.
package func combineAnswersBackward(
    _ dy: Tensor, answers: Tensor, k: Int, rowOf: Vector<Int32>, gates: Vector<Float>, dAnswers: Tensor,
    dGates: Vector<Float>, on workers: Workers
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
                for c in 0..<gradient.count { out[c] = gate * gradient[c] }
            }
        }
    }
}

/// Backward of `scatterToSeats`: `dx_t += Σ_j dRows[rowOf[t, j]]`, choices in order of rank.
package func scatterToSeatsBackward(
    _ dRows: Tensor, k: Int, rowOf: Vector<Int32>, addingTo dx: Tensor, on workers: Workers
) {
    workers.run(over: dx.rows, tile: rowTile) { tokens in
        for t in tokens {
            for j in 0..<k {
                let row = Int(rowOf[t * k + j])
                if row >= 0 { addScaled(dRows.row(row), 1, to: dx, row: t) }
            }
        }
    }
}

@inline(__always)
private func addScaled(_ source: Span<Float>, _ factor: Float, to target: Tensor, row: Int) {
    var out = target.mutableRow(row)
    for c in 0..<source.count { out[c] += factor * source[c] }
}
