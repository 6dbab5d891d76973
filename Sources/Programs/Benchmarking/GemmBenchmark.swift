package import Configuration
import Diagnostics
import Kernels
import Parallelism
import Platform
import RunFormat
package import Tensors
package import Threading

/// The matrix library's rate on this machine, and on every product of a model.
package struct GemmBenchmark: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package var name: String
        package var pass: ProductShape.Pass
        package var rows: Int
        package var inner: Int
        package var columns: Int
        package var copies: Int
        package var flops: Sample
        /// Of the measured GEMM peak.
        package var fraction: Double
    }

    package var threads: Int
    package var precision: Precision
    /// FLOP/s of multiply-adds in registers.
    package var arithmeticPeak: ArithmeticPeak
    /// FLOP/s of products that fit the cache: the denominator of MFU.
    package var gemmPeak: Double
    package var products: [Row]

    package init(_ configuration: ResolvedConfiguration, on workers: ThreadPool, repetitions: Int) {
        threads = workers.count
        precision = configuration.precision
        arithmeticPeak = ArithmeticPeak.measure(on: workers, of: .ofThisMachine)
        let peak = measureGemmPeak(configuration.precision, on: workers)
        gemmPeak = peak
        let model = configuration.model
        let shapes = ProductShape.all(
            of: model, configuration.routing, microBatchTokens: configuration.batch.microBatchTokens,
            headChunk: crossEntropyChunk(vocabulary: model.vocabularySize))
        products = shapes.map { shape in
            let flops = shape.measure(configuration.precision, on: workers, repetitions: repetitions)
            return Row(
                name: shape.name, pass: shape.pass, rows: shape.rows, inner: shape.inner, columns: shape.columns,
                copies: shape.copies, flops: flops, fraction: flops.median / peak)
        }
    }

    package var text: String {
        let summary =
            "\(threads) thread\(threads == 1 ? "" : "s"): GEMM peak \(gigaflops(gemmPeak)), "
            + arithmeticPeak.comparison(with: gemmPeak, in: precision)
        var table = TextTable(["product", "pass", "copies × m × k × n", "GFLOP/s", "spread", "of peak"])
        for row in products {
            table.add([
                row.name, row.pass.rawValue, "\(row.copies) × \(row.rows) × \(row.inner) × \(row.columns)",
                decimals(row.flops.median / 1e9, 1), percent(row.flops.spread), percent(row.fraction),
            ])
        }
        return table.text + "\n" + summary
    }
}
