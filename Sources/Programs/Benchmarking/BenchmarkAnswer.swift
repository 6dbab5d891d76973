/// The figures of a benchmark as `--json` prints them: with the benchmark's name, by which `report` knows them.
package struct BenchmarkAnswer<Figures: Encodable>: Encodable {
    private let benchmark: String
    private let figures: Figures

    /// - Parameters:
    ///   - benchmark: `step`, `gemm` and so on
    ///   - figures: an object
    package init(_ benchmark: String, _ figures: Figures) {
        self.benchmark = benchmark
        self.figures = figures
    }

    private enum CodingKeys: CodingKey { case benchmark }

    package func encode(to encoder: any Encoder) throws {
        try figures.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(benchmark, forKey: .benchmark)
    }
}
