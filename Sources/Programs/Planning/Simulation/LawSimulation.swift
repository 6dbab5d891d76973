import Platform
import Randomness

/// How the runs of a law's study are simulated, to test its fits.
package struct LawSimulation: Sendable {
    /// The true coefficients, in the order of the law's parameters.
    package let parameters: [Double]
    /// Runs of one table.
    package let runs: Int
    /// Draws the sizes of one run like those of the study.
    package let point: @Sendable (RunDraws) -> ScalePoint

    init(
        _ parameters: [Double], runs: Int,
        point: @escaping @Sendable (RunDraws) -> ScalePoint = LawSimulation.decoderPoint
    ) {
        self.parameters = parameters
        self.runs = runs
        self.point = point
    }

    /// Decoders of 1 to 32 experts.
    static let decoderPoint: @Sendable (RunDraws) -> ScalePoint = { draws in
        Counting.decoder.point(Architecture(dModel: draws.width, experts: draws.powerOfTwo(6)), tokens: draws.tokens)
    }
}

/// The random numbers of one simulated run, by index.
package struct RunDraws: Sendable {
    private let random: RandomFunction

    init(seed: UInt64, stream: UInt64) { random = RandomFunction(seed: seed, purpose: .tests, stream: stream) }

    /// Returns a number from 0 to 1.
    func uniform(_ index: UInt64) -> Double { random.uniform(index) }

    /// Returns the d of a model of the studies' sizes; takes index 0.
    var width: Double { logarithmic(0, 256, 2304) }

    /// Returns training tokens of the studies' lengths; takes index 1.
    var tokens: Double { logarithmic(1, 0.5e9, 80e9) }

    /// Returns one of the first `count` powers of two, 1 among them; takes index 2.
    func powerOfTwo(_ count: UInt64) -> Double { pow(2, Double(whole(2, count))) }

    /// Returns a whole number below `bound`.
    func whole(_ index: UInt64, _ bound: UInt64) -> UInt64 { random.integer(index, below: bound) }

    /// Returns a number between `low` and `high`, whose logarithm is uniform.
    func logarithmic(_ index: UInt64, _ low: Double, _ high: Double) -> Double {
        low * pow(high / low, random.uniform(index))
    }

    /// Returns a standard normal number (Box & Muller 1958); takes indices `index` and `index + 1`.
    func normal(_ index: UInt64) -> Double {
        (-2 * log(random.uniform(index))).squareRoot() * cos(2 * .pi * random.uniform(index + 1))
    }
}
