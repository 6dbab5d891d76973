import Configuration
import Model
import Tensors
import Testing
import Threading

@Suite("Initial parameters") struct InitializationTests {
    private func arena(
        _ kind: InitializationKind, experts: ExpertsPerLayer = 8, share: ExpertShard = ExpertShard(0, of: 1)
    ) -> ParameterArena {
        let model = ModelShape(
            dModel: 64, layers: 1, heads: 2, context: 8, vocabularySize: 400, experts: experts, initialization: kind)
        let arena = ParameterArena(ParameterLayout(model, share), for: .float32)
        Initialization(kind, scale: 0.1, seed: 5).fill(arena, on: ThreadPool(count: 2))
        return arena
    }

    private func spread(_ arena: ParameterArena, _ name: String) -> (deviation: Double, largest: Double) {
        let values = arena.vector(arena.layout.id(name))
        let all = (0..<values.count).map { Double(values[$0]) }
        let mean = all.reduce(0, +) / Double(all.count)
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
        return (variance.squareRoot(), all.map(abs).max() ?? .nan)
    }

    /// The deviation of a standard normal that is drawn again beyond ±limit, by Simpson's rule.
    private func deviation(limit: Double) -> Double {
        let steps = 20_000, h = 2 * limit / Double(steps)
        var mass = 0.0, square = 0.0
        for i in 0...steps {
            let x = -limit + Double(i) * h, weight = i == 0 || i == steps ? 1.0 : i % 2 == 1 ? 4 : 2
            let density = weight * density(x)
            mass += density
            square += density * x * x
        }
        return (square / mass).squareRoot()
    }

    private func density(_ x: Double) -> Double {
        var term = 1.0, sum = 1.0  // exp(−x²/2) by its series
        for n in 1..<200 {
            term *= -x * x / 2 / Double(n)
            sum += term
        }
        return sum
    }

    @Test(
        "normals of the fan-in's deviation, cut where the recipe says",
        arguments: [
            ("embedding", 1.0, 1.0), ("blocks.0.attention.qkv", 64, 64), ("blocks.0.router", 64, 64),
            ("blocks.0.experts.gate_up", 64, 64), ("blocks.0.experts.down", 192, 8 * 192), ("head", 64, 64),
        ] as [(String, Double, Double)])
    func distribution(name: String, fanIn: Double, studysFanIn: Double) {
        for (kind, fanIn) in [(InitializationKind.switchTransformers, fanIn), (.llmRandom, studysFanIn)] {
            let sigma = (0.1 / fanIn).squareRoot()
            let limit = kind == .llmRandom ? min(8, 0.2 / sigma) : 2
            let (deviation, largest) = spread(arena(kind), name)
            // Some standard errors of a deviation from 512 values and more.
            let slack = name.hasSuffix("router") ? 0.15 : 0.03
            #expect(abs(deviation / sigma / self.deviation(limit: limit) - 1) < slack, "\(kind) \(name)")
            #expect(largest <= limit * sigma * (1 + 1e-6), "\(kind) \(name)")
            if limit <= 2, !name.hasSuffix("router") { #expect(largest > 0.98 * limit * sigma, "\(kind) \(name)") }
        }
    }

    @Test("no matter which rank holds an expert") func shares() {
        let whole = arena(.llmRandom), half = arena(.llmRandom, share: ExpertShard(1, of: 2))
        let all = whole.vector(whole.layout.id("blocks.0.experts.down"))
        let part = half.vector(half.layout.id("blocks.0.experts.down"))
        #expect(part.count == all.count / 2)
        #expect((0..<part.count).allSatisfy { part[$0] == all[all.count / 2 + $0] })
    }
}
