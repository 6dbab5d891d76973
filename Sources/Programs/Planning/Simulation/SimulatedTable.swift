import Platform
import Randomness

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
        let name = type(of: law).metadata.name
        return (0..<count).map { index in
            let point = point(of: name, Draws(seed: seed, stream: UInt64(2 * index)))
            let draws = Draws(seed: seed, stream: UInt64(2 * index + 1))
            let factor = draws.uniform(2) < outliers ? 10.0 : 1
            return RunMeasurement(
                source: "run \(index)", point: point, loss: law.loss(at: point) * exp(factor * noise * draws.normal(0)))
        }
    }

    private func point(of law: String, _ draws: Draws) -> ScalePoint {
        let width = draws.logarithmic(0, 256, 2304), tokens = draws.logarithmic(1, 0.5e9, 80e9)
        let experts = pow(2, Double(draws.whole(2, 6)))
        switch law {
        case ChinchillaLaw.metadata.name:
            let size = draws.logarithmic(0, 44e6, 16e9)
            return ScalePoint(active: size, total: size, tokens: draws.logarithmic(1, 1e9, 300e9))
        case FineGrainedLaw.metadata.name:
            let shape = Architecture(dModel: width, experts: 64, granularity: pow(2, Double(draws.whole(2, 6))))
            return Counting.fineGrained.point(shape, tokens: tokens)
        case EfficiencyLeverage.metadata.name:
            return ScalePoint(
                active: 1, total: 1, tokens: 1, experts: pow(2, Double(1 + draws.whole(2, 8))),
                granularity: pow(2, Double(1 + draws.whole(3, 4))), flops: draws.logarithmic(0, 1e18, 1e22))
        case RoutedLaw.metadata.name:
            let shape = Architecture(dModel: width, experts: pow(2, Double(draws.whole(2, 10))))
            return Counting.decoder.point(shape, tokens: RoutedLaw.metadata.fixedTokens ?? 0)
        case SparsityLaw.metadata.name:
            let shape = Architecture(dModel: width, experts: pow(2, Double(draws.whole(2, 8))))
            return Counting.decoder.point(shape, tokens: tokens)
        default:
            return Counting.decoder.point(Architecture(dModel: width, experts: experts), tokens: tokens)
        }
    }
}

/// Random numbers of one run.
private struct Draws {
    let random: RandomFunction

    init(seed: UInt64, stream: UInt64) { random = RandomFunction(seed: seed, purpose: .tests, stream: stream) }

    func uniform(_ index: UInt64) -> Double { random.uniform(index) }

    func whole(_ index: UInt64, _ bound: UInt64) -> UInt64 { random.integer(index, below: bound) }

    func logarithmic(_ index: UInt64, _ low: Double, _ high: Double) -> Double {
        low * pow(high / low, random.uniform(index))
    }

    /// Box & Muller 1958.
    func normal(_ index: UInt64) -> Double {
        (-2 * log(random.uniform(index))).squareRoot() * cos(2 * .pi * random.uniform(index + 1))
    }
}

/// The laws that simulated runs follow, with as many runs as their tables have.
package enum SimulatedStudy {
    /// Yun et al. published no coefficients: these are in the range of their figures.
    package static let inference = InferenceLaw(parameters: [120, 0.2, 0.9, 0.6, 300, 0.25, 1.4, 0.001, 1.5, 200])
    /// E_max of the paper, 5e16, is past what a fit can tell from infinity.
    package static let leverage = EfficiencyLeverage(parameters: [1.23, -7.61e-2, 1.67e-2, -1.17e-1, 1.63e-2, 40])

    package static let laws: [(law: any ScalingLaw, runs: Int)] = [
        (ChinchillaLaw.refitted, 100), (JointLaw.published, 96), (FineGrainedLaw.published, 100),
        (SparsityLaw.published, 120), (RoutedLaw.published, 80), (inference, 120), (leverage, 80),
    ]

    /// - Returns: the law called `name`, and how many runs its tables have
    package static func law(named name: String) -> (law: any ScalingLaw, runs: Int)? {
        laws.first { $0.law.name == name }
    }
}
