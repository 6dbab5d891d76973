package import Tensors
package import Threading

// Local copies between a micro-batch's tokens and the rows that travel to experts. `sendRow[t·k + j]` is the row of token t's
// j-th choice among the slots, or −1 if it found none.

/// `rows[sendRow[t, j]] = x_t`
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - rows: `[slots, dModel]`, rounded to its precision
package func scatterToSlots(_ x: Tensor, k: Int, sendRow: Vector<Int32>, into rows: Operand, on workers: ThreadPool) {
    switch rows {
    case .float32(let rows): scatter(x, k: k, sendRow: sendRow, into: rows, on: workers)
    case .bfloat16(let rows): scatter(x, k: k, sendRow: sendRow, into: rows, on: workers)
    }
}

private func scatter<Element: MatrixElement>(
    _ x: Tensor, k: Int, sendRow: Vector<Int32>, into rows: Matrix<Element>, on workers: ThreadPool
) {
    workers.run(over: x.rows, tile: rowTile) { tokens in
        for t in tokens {
            for j in 0..<k {
                let row = Int(sendRow[t * k + j])
                if row >= 0 { copy(x.row(t), into: rows, row: row) }
            }
        }
    }
}

/// `y_t += Σ_j g_j·expertOutputs[sendRow[t, j]]`, choices in order of rank.
package func combineExpertOutputs(
    _ expertOutputs: Operand, k: Int, sendRow: Vector<Int32>, gates: Vector<Float>, addingTo y: Tensor,
    on workers: ThreadPool
) {
    switch expertOutputs {
    case .float32(let rows): gather(rows, k: k, sendRow: sendRow, addingTo: y, on: workers) { gates[$0] }
    case .bfloat16(let rows): gather(rows, k: k, sendRow: sendRow, addingTo: y, on: workers) { gates[$0] }
    }
}

/// Backward of `scatterToSlots`: `dx_t += Σ_j dRows[sendRow[t, j]]`, choices in order of rank.
package func scatterToSlotsBackward(
    _ dRows: Operand, k: Int, sendRow: Vector<Int32>, addingTo dx: Tensor, on workers: ThreadPool
) {
    switch dRows {
    case .float32(let rows): gather(rows, k: k, sendRow: sendRow, addingTo: dx, on: workers) { _ in 1 }
    case .bfloat16(let rows): gather(rows, k: k, sendRow: sendRow, addingTo: dx, on: workers) { _ in 1 }
    }
}

/// `y_t += Σ_j factor(t·k + j)·rows[sendRow[t, j]]`
@inline(__always)
private func gather<Element: MatrixElement>(
    _ rows: Matrix<Element>, k: Int, sendRow: Vector<Int32>, addingTo y: Tensor, on workers: ThreadPool,
    factor: @Sendable (Int) -> Float
) {
    workers.run(over: y.rows, tile: rowTile) { tokens in
        for t in tokens {
            for choice in t * k..<(t + 1) * k {
                let row = Int(sendRow[choice])
                guard row >= 0 else { continue }
                let source = rows.row(row), scale = factor(choice)
                var out = unsafe y.unsafeMutableRow(t)
                for c in 0..<source.count { out[c] += scale * source[c].float }
            }
        }
    }
}

/// Backward of `combineExpertOutputs`: `dExpertOutputs[sendRow[t, j]] = g_j·dy_t`, `dg_j = dy_t · expertOutputs[sendRow[t,
/// j]]`.
/// - Parameter dExpertOutputs: `[slots, dModel]`, in the precision of the answers
package func combineExpertOutputsBackward(
    _ dy: Tensor, expertOutputs: Operand, k: Int, sendRow: Vector<Int32>, gates: Vector<Float>, dExpertOutputs: Operand,
    dGates: Vector<Float>, on workers: ThreadPool
) {
    let assignments = GatedAssignments(k: k, sendRow: sendRow, gates: gates, dGates: dGates)
    switch (expertOutputs, dExpertOutputs) {
    case (.float32(let expertOutputs), .float32(let dExpertOutputs)):
        assignments.backward(dy, expertOutputs, dExpertOutputs, workers)
    case (.bfloat16(let expertOutputs), .bfloat16(let dExpertOutputs)):
        assignments.backward(dy, expertOutputs, dExpertOutputs, workers)
    default: preconditionFailure("operands of different precisions")
    }
}

private struct GatedAssignments: Sendable {
    let k: Int
    let sendRow: Vector<Int32>
    let gates: Vector<Float>
    let dGates: Vector<Float>

    func backward<Element: MatrixElement>(
        _ dy: Tensor, _ expertOutputs: Matrix<Element>, _ dExpertOutputs: Matrix<Element>, _ workers: ThreadPool
    ) {
        workers.run(over: dy.rows, tile: rowTile) { tokens in
            for t in tokens {
                let gradient = dy.row(t)
                for i in t * k..<(t + 1) * k {
                    let row = Int(sendRow[i])
                    guard row >= 0 else {
                        dGates[i] = 0
                        continue
                    }
                    dGates[i] = dot(gradient, expertOutputs.row(row))
                    let gate = gates[i]
                    var out = unsafe dExpertOutputs.unsafeMutableRow(row)
                    for c in 0..<gradient.count { out[c] = Element(rounding: gate * gradient[c]) }
                }
            }
        }
    }
}
