package import MatrixProducts
package import Tensors
package import Threading

/// `C ← A·B`, or `C ← C + A·B` if `adding`.
package struct ProductJob: Sendable {
    let a: Factor
    let b: Factor
    let c: Operand
    let adding: Bool
    let finish: (@Sendable (Range<Int>) -> Void)?

    /// - Parameters:
    ///   - a: `[m, k]`
    ///   - b: `[k, n]`
    ///   - c: `[m, n]`
    ///   - finish: called with ranges of C's rows that are done, each row once, by the thread that computed them while
    ///     they are in its cache: what a layer does with its product row by row costs no way to memory and back
    package init(
        _ a: Factor, _ b: Factor, into c: Operand, adding: Bool = false,
        finish: (@Sendable (Range<Int>) -> Void)? = nil
    ) {
        self.a = a
        self.b = b
        self.c = c
        self.adding = adding
        self.finish = finish
    }
}

/// One product, tile by tile on all threads.
package func multiply(_ a: Factor, _ b: Factor, into c: Operand, adding: Bool = false, on workers: ThreadPool) {
    multiply([ProductJob(a, b, into: c, adding: adding)], on: workers)
}

/// Products that do not depend on each other, such as the experts' of one micro-batch, tile by tile on all threads.
package func multiply(_ jobs: [ProductJob], on workers: ThreadPool) {
    workers.tracer?.begin(.products)
    defer { workers.tracer?.end() }
    let tilings = jobs.map(ProductTiles.init)
    let starts = tilings.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    workers.run(starts.last!) { _, index in
        var j = 0
        while starts[j + 1] <= index { j += 1 }
        jobs[j].compute(tilings[j], index - starts[j])
    }
    for (job, tiles) in zip(jobs, tilings) where !tiles.haveWholeRows {
        if let finish = job.finish { workers.run(over: job.c.rows, tile: rowTile, finish) }
    }
}

extension ProductJob {
    fileprivate func compute(_ tiles: ProductTiles, _ index: Int) {
        let (rows, columns) = tiles[index]
        let (a, b, c) = (a.rows(rows), b.columns(columns), c.rows(rows).columns(columns))
        if tiles.usesFixedShape, rows.count == ProductTiles.height {
            multiplyFixedShape(a, b, into: c, adding: adding)
        } else {
            MatrixProducts.multiply(a, b, into: c, adding: adding)
        }
        if tiles.haveWholeRows { finish?(rows) }
    }
}

/// How a product is cut for threads, whatever their number: tiles are a function of its shape, so that a micro-batch's products
/// have the same bits everywhere.
///
/// A product of many rows is cut between rows alone, which the library's kernels for fixed shapes want. One of few rows, one
/// with a right factor too large to be packed for every tile (the head's), or a sum over tokens (its left factor
/// transposed, its output a weight), is cut between columns as well.
private struct ProductTiles {
    static let height = 256
    private static let narrow = 512
    private static let largestPacked = 1 << 21

    /// Whether full tiles are worth kernels of their own: in float32 the general ones are as fast, but for transposed weights
    /// (docs/performance.md).
    let usesFixedShape: Bool
    let haveWholeRows: Bool
    private let rows: Int
    private let columns: Int
    private let width: Int

    init(_ job: ProductJob) {
        (rows, columns) = (job.c.rows, job.c.columns)
        haveWholeRows =
            rows >= Self.height && !job.a.isTransposed && job.b.rows * columns <= Self.largestPacked
        usesFixedShape = haveWholeRows && (job.a.operand.precision == .bfloat16 || job.b.isTransposed)
        width = haveWholeRows ? max(columns, 1) : Self.narrow
    }

    private var across: Int { (columns + width - 1) / width }
    var count: Int { (rows + Self.height - 1) / Self.height * across }

    /// Tile `index` of the output, in row-major order of tiles.
    subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let r = index / across * Self.height, c = index % across * width
        return (r..<min(r + Self.height, rows), c..<min(c + width, columns))
    }
}
