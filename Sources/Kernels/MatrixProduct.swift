package import GEMM
package import Tensors
import Tracing
package import Workers

/// How products are cut for threads: output tiles of this many rows and columns, whatever the number of threads, so
/// that a lane's products have the same shapes, and so the same bits, everywhere.
package enum ProductTile {
    static let rows = 256
    static let columns = 512

    static func count(_ rows: Int, _ columns: Int) -> Int {
        ((rows + Self.rows - 1) / Self.rows) * ((columns + Self.columns - 1) / Self.columns)
    }

    /// Tile `index` of an output `[rows, columns]`, in row-major order of tiles.
    static func range(_ index: Int, _ rows: Int, _ columns: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let across = (columns + Self.columns - 1) / Self.columns
        let r = index / across * Self.rows, c = index % across * Self.columns
        return (r..<min(r + Self.rows, rows), c..<min(c + Self.columns, columns))
    }
}

/// `C ← A·B`, or `C ← C + A·B` if `adding`, by tiles of C on all threads.
/// - Parameters:
///   - a: `[m, k]`
///   - b: `[k, n]`
///   - c: `[m, n]`
package func multiply(_ a: Factor, _ b: Factor, into c: Operand, adding: Bool = false, on workers: Workers) {
    workers.tracer?.begin(.products)
    defer { workers.tracer?.end() }
    let tiles = ProductTile.count(c.rows, c.columns)
    workers.run(tiles) { _, index in
        let (rows, columns) = ProductTile.range(index, c.rows, c.columns)
        GEMM.multiply(a.rows(rows), b.columns(columns), into: c.rows(rows).columns(columns), adding: adding)
    }
}

/// One product of a group: `C ← A·B`, or added.
package struct ProductJob: Sendable {
    let a: Factor
    let b: Factor
    let c: Operand
    let adding: Bool

    package init(_ a: Factor, _ b: Factor, into c: Operand, adding: Bool = false) {
        self.a = a
        self.b = b
        self.c = c
        self.adding = adding
    }
}

/// Products that do not depend on each other, such as the experts' of one lane, tile by tile on all threads.
package func multiply(_ jobs: [ProductJob], on workers: Workers) {
    workers.tracer?.begin(.products)
    defer { workers.tracer?.end() }
    var firstTile = [0]
    for job in jobs { firstTile.append(firstTile.last! + ProductTile.count(job.c.rows, job.c.columns)) }
    let starts = firstTile
    workers.run(starts.last!) { _, index in
        var j = 0
        while starts[j + 1] <= index { j += 1 }
        let job = jobs[j]
        let (rows, columns) = ProductTile.range(index - starts[j], job.c.rows, job.c.columns)
        GEMM.multiply(
            job.a.rows(rows), job.b.columns(columns), into: job.c.rows(rows).columns(columns), adding: job.adding)
    }
}
