package import Tensors
package import Workers

/// `y ← a + b`, all of one shape.
package func add(_ a: Tensor, _ b: Tensor, into y: Tensor, on workers: Workers) {
    workers.run(over: y.rows, tile: rowTile) { rows in
        let left = a.rows(rows).span, right = b.rows(rows).span
        var out = y.rows(rows).mutableSpan
        for i in 0..<left.count { out[i] = left[i] + right[i] }
    }
}

/// `y ← x`
package func copyRows(_ x: Tensor, into y: Tensor, on workers: Workers) {
    workers.run(over: x.rows, tile: rowTile) { rows in
        for t in rows { copy(x.row(t), into: y, row: t) }
    }
}

/// `y ← 0`
package func clear(_ y: Tensor, on workers: Workers) {
    workers.run(over: y.rows, tile: rowTile) { rows in
        for t in rows {
            var out = y.mutableRow(t)
            for i in 0..<out.count { out[i] = 0 }
        }
    }
}
