package import Tensors
package import Threading

/// `x_t = table[token_t]`
/// - Parameters:
///   - tokens: `[tokens]`
///   - table: `[vocabulary, dModel]`
///   - x: `[tokens, dModel]`
package func embed(_ tokens: Vector<Int32>, table: Tensor, into x: Tensor, on workers: ThreadPool) {
    workers.run(over: x.rows, tile: rowTile) { rows in
        for t in rows { copy(table.row(Int(tokens[t])), into: x, row: t) }
    }
}

/// Backward of `embed`: `dTable[v] (+)= Σ over t with token_t = v of dx_t`, in token order. Threads own ranges of v.
/// - Parameter dTable: `[vocabulary, dModel]`, overwritten, or added to if `adding`
package func embedBackward(_ dx: Tensor, tokens: Vector<Int32>, dTable: Tensor, adding: Bool, on workers: ThreadPool) {
    let d = dx.columns
    workers.run(over: dTable.rows, tile: max(64, dTable.rows / 32)) { vocabulary in
        if !adding { dTable.rows(vocabulary).fill(with: 0) }
        let ids = tokens.span
        for t in 0..<dx.rows where vocabulary.contains(Int(ids[t])) {
            let gradient = dx.row(t)
            var row = unsafe dTable.unsafeMutableRow(Int(ids[t]))
            for i in 0..<d { row[i] += gradient[i] }
        }
    }
}
