import Platform

/// A table of runs whose losses a known law gives, with noise: what fits are tested with.
package struct SimulatedTable: Sendable {
    /// Standard deviation of the noise of ln L.
    package var noise = 0.002
    /// The ratio of runs whose noise is ten times as large.
    package var outliers = 0.0
    package var seed: UInt64

    package init(seed: UInt64, outliers: Double = 0) {
        self.seed = seed
        self.outliers = outliers
    }

    /// `count` runs of `law` at sizes drawn like those of its study.
    package func runs(_ law: some ScalingLaw, count: Int) -> [RunMeasurement] {
        let drawPoint = type(of: law).metadata.simulation?.point ?? LawSimulation.decoderPoint
        return (0..<count).map { index in
            let point = drawPoint(RunDraws(seed: seed, stream: UInt64(2 * index)))
            let draws = RunDraws(seed: seed, stream: UInt64(2 * index + 1))
            let factor = draws.uniform(2) < outliers ? 10.0 : 1
            return RunMeasurement(
                source: "run \(index)", point: point, loss: law.loss(at: point) * exp(factor * noise * draws.normal(0)))
        }
    }
}

/// The laws that simulated runs follow, with as many runs as their tables have.
package enum SimulatedStudy {
    package static let laws: [(law: any ScalingLaw, runs: Int)] = LawCatalog.forms.compactMap { form in
        form.metadata.simulation.map { (form.init(parameters: $0.parameters), $0.runs) }
    }

    /// - Returns: the law called `name`, and how many runs its tables have
    package static func law(named name: String) -> (law: any ScalingLaw, runs: Int)? {
        laws.first { $0.law.name == name }
    }
}
