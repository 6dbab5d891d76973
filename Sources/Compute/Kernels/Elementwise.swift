import KernelLoops
package import Tensors
package import Threading

/// `y ← x`
package func copyRows(_ x: Tensor, into y: Tensor, on workers: ThreadPool) {
    workers.run(over: x.rows, tile: rowTile) { rows in
        for t in rows { copy(x.row(t), into: y, row: t) }
    }
}

/// `y ← x`, rounded to y's precision.
package func copyRows(_ x: Operand, into y: Operand, on workers: ThreadPool) {
    workers.run(over: x.rows, tile: rowTile) { rows in kernelLoops.copyRows(x.rows(rows), into: y.rows(rows)) }
}

/// `y ← 0`
package func clear(_ y: Tensor, on workers: ThreadPool) {
    workers.run(over: y.rows, tile: rowTile) { rows in
        y.rows(rows).fill(with: 0)
    }
}

/// `x` as a factor of products: itself in float32, otherwise rounded into `memory`.
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - memory: `[≥ tokens, dModel]`, in the precision of the products; nothing is written to it in float32
package func operand(_ x: Tensor, roundedInto memory: Operand, on workers: ThreadPool) -> Operand {
    guard case .bfloat16(let all) = memory else { return .float32(x) }
    let rounded = all.rows(0..<x.rows)
    workers.run(over: x.rows, tile: rowTile) { rows in
        for t in rows { copy(x.row(t), into: rounded, row: t) }
    }
    return .bfloat16(rounded)
}

/// `target[row] ← source`, rounded if the target is narrower.
@inline(__always)
func copy<Source: MatrixElement, Target: MatrixElement>(_ source: Span<Source>, into target: Matrix<Target>, row: Int) {
    var out = unsafe target.unsafeMutableRow(row)
    for i in 0..<source.count { out[i] = Target(rounding: source[i].float) }
}
