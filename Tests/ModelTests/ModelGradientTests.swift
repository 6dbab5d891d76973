import Collectives
import Configuration
import Model
import Randomness
import Tensors
import Testing

/// The whole model's backward pass, every parameter tensor of it, against central differences of its loss.
///
/// Rounding inside the network moves the loss as much as if every parameter were off by 2^−24 of itself, so to the loss's
/// own magnitude `GradientCheck`'s bound is given that of all `w·∂f/∂w`.
@Suite struct ModelGradientTests {
    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var model: ModelShape
        var capacity = 1.0
        var normalize = false
        var sequences = 2
        var microBatches = 2
        var drops = false
        var isExact = false
        var documents = false
        /// Of the parameters: one that keeps routers away from ties.
        var seed: UInt64 = 3
    }

    private static let cases = [
        Case(
            description: "all of size 1",
            model: ModelShape(
                dModel: 2, layers: 1, heads: 1, context: 1, vocabularySize: 2, experts: 1, feedForward: 0.5),
            sequences: 1, microBatches: 1),
        Case(
            description: "one dense expert",
            model: ModelShape(dModel: 6, layers: 2, heads: 3, context: 3, vocabularySize: 7, feedForward: 1.5)),
        Case(
            description: "k = 1 with drops",
            model: ModelShape(
                dModel: 6, layers: 2, heads: 1, context: 5, vocabularySize: 11, experts: 3, feedForward: 1.5),
            capacity: 0.8, drops: true),
        Case(
            description: "k = 2 with drops, gates as they are",
            model: ModelShape(
                dModel: 4, layers: 2, heads: 2, context: 5, vocabularySize: 5, experts: 4, topK: 2, feedForward: 1.25),
            capacity: 0.7, sequences: 3, drops: true, seed: 4),
        Case(
            description: "k = 2 with drops, gates normalized, exact sums",
            model: ModelShape(
                dModel: 4, layers: 2, heads: 1, context: 7, vocabularySize: 5, experts: 4, topK: 2, feedForward: 1.25),
            capacity: 0.7, normalize: true, sequences: 1, microBatches: 3, drops: true, isExact: true),
        Case(
            description: "G = 2, tied, LayerNorm",
            model: ModelShape(
                dModel: 6, layers: 1, heads: 1, context: 5, vocabularySize: 9, experts: 2, granularity: 2,
                feedForward: 3, tieEmbeddings: true, norm: .layer),
            capacity: 0.8, normalize: true, drops: true),
        Case(
            description: "layers of 2, 5 and 3 experts, k = 2, gates normalized, exact sums",
            model: ModelShape(
                dModel: 4, layers: 3, heads: 1, context: 5, vocabularySize: 5,
                experts: ExpertsPerLayer(byLayer: [2, 5, 3]), topK: 2, feedForward: 1.25),
            capacity: 0.8, normalize: true, drops: true, isExact: true),
        Case(
            description: "documents, k = 1 with drops",
            model: ModelShape(
                dModel: 4, layers: 2, heads: 2, context: 9, vocabularySize: 4, experts: 2, feedForward: 1.5),
            capacity: 0.8, drops: true, documents: true),
        Case(
            description: "tied, exact sums",
            model: ModelShape(
                dModel: 4, layers: 1, heads: 2, context: 3, vocabularySize: 5, experts: 2, feedForward: 1,
                tieEmbeddings: true),
            capacity: 2, isExact: true),
    ]

    @Test(arguments: cases) func wholeModel(test: Case) throws {
        let found = try VirtualRanks.run(1) { world in try check(test, on: world) }[0]
        found.report("the model, \(test)")
    }

    private func check(_ test: Case, on world: any Communicator) throws -> GradientCheck {
        let (balanceWeight, zWeight) = (0.5, 0.125)
        let routing = RoutingConfiguration(
            capacityFactor: CapacityFactor(test.capacity), loadBalanceWeight: balanceWeight, zLossWeight: zWeight,
            normalizeGates: test.normalize)
        let tokens = test.sequences * test.model.context
        let bench = try Bench(
            test.model, routing, microBatchTokens: tokens, microBatches: test.microBatches, isExact: test.isExact,
            on: world)
        bench.fillParameters(seed: test.seed)
        let microBatches = (0..<test.microBatches).map { microBatch($0, test) }

        let statistics = try bench.train(microBatches)
        let gradients = bench.model.layout.all.map { bench.gradient($0) }
        let shares = zip(bench.model.layout.all, gradients).flatMap { id, gradient in
            zip(bench.parameters.vector(id).array, gradient).map { Double($0) * $1 }
        }
        let sensitivity = shares.reduce(0) { $0 + $1 * $1 }.squareRoot()

        func evaluate() throws -> Evaluation {
            let microBatches = try bench.train(microBatches), routes = microBatches.flatMap(\.routes),
                count = Double(test.microBatches)
            let crossEntropy = microBatches.reduce(0) { $0 + $1.crossEntropy } / (count * Double(tokens))
            let auxiliary = routes.reduce(0) { $0 + balanceWeight * $1.loadBalance + zWeight * $1.z } / count
            return Evaluation(
                value: crossEntropy + auxiliary,
                magnitude: (crossEntropy + auxiliary) / (count * Double(tokens)).squareRoot() + sensitivity,
                routes: routes.map(\.expertIndicesDigest))
        }

        #expect(statistics.flatMap(\.routes).contains { $0.dropped > 0 } == test.drops)
        var check = GradientCheck(step: 0x1p-9)
        for (id, gradient) in zip(bench.model.layout.all, gradients) {
            let entry = bench.model.layout[id]
            try check.check(entry.name, bench.parameters.vector(id), gradient: gradient, evaluate)
        }
        return check
    }

    private func microBatch(_ number: Int, _ test: Case) -> MicroBatch {
        let microBatch = MicroBatch(
            sequences: test.sequences, sequenceLength: test.model.context, masksDocuments: test.documents)
        let random = RandomFunction(seed: 9, purpose: .tests, stream: UInt64(number))
        for t in 0..<microBatch.tokens {
            microBatch.inputs[t] = Int32(random.integer(UInt64(2 * t), below: UInt64(test.model.vocabularySize)))
            microBatch.targets[t] = Int32(random.integer(UInt64(2 * t + 1), below: UInt64(test.model.vocabularySize)))
        }
        microBatch.startDocuments(behind: 0)
        return microBatch
    }
}
