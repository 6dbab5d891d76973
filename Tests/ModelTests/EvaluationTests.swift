import Collectives
import Configuration
import Model
import Randomness
import Tensors
import Testing

/// Dropless evaluation sends as many windows of slots as the longest queue needs through the buffers of training.
@Suite(.timeLimit(.minutes(60))) struct EvaluationTests {
    private static let layers = [ExpertsPerLayer(4), ExpertsPerLayer(byLayer: [8, 4])]

    /// Losses per micro-batch, the third micro-batch without tokens, on ranks that share out the experts.
    private func losses(
        _ experts: ExpertsPerLayer, training: Double, evaluation: Double?, ranks: Int
    ) throws -> [Double] {
        let model = ModelShape(
            dModel: 6, layers: 2, heads: 1, context: 5, vocabularySize: 11, experts: experts, topK: 2, feedForward: 1.5)
        let routing = RoutingConfiguration(
            capacityFactor: CapacityFactor(training), evaluationCapacityFactor: evaluation.map(CapacityFactor.init),
            loadBalanceWeight: 0, zLossWeight: 0, normalizeGates: false)
        return try VirtualRanks.run(ranks) { world in
            let bench = try Bench(
                model, routing, microBatchTokens: 15, microBatches: 3, isExact: false, on: world,
                expertParallelSize: ranks)
            let whole = ParameterArena(ParameterLayout(model, .all))
            for id in bench.model.layout.all {
                let entry = bench.model.layout[id], all = whole.vector(whole.layout.id(entry.name))
                fill(all, seed: 5, stream: entry.nameDigest)
                for i in 0..<entry.count { bench.parameters.vector(id)[i] = all[entry.globalOffset + i] }
            }
            return try stride(from: world.rank, to: 4, by: ranks).map { number in
                let microBatch = microBatch(number)
                let statistics = try bench.model.evaluate(
                    microBatch, in: bench.pass(.evaluation, of: microBatch))
                #expect(evaluation != nil || statistics.routes.allSatisfy { $0.dropped == 0 })
                return statistics.crossEntropy
            }
        }.enumerated().reduce(into: [0, 0, 0, 0]) { all, rank in
            for (round, loss) in rank.element.enumerated() { all[round * ranks + rank.offset] = loss }
        }
    }

    /// Micro-batches of 15, 10 and 0 tokens, and one of 5.
    private func microBatch(_ number: Int) -> MicroBatch {
        let microBatch = MicroBatch(sequences: [3, 2, 0, 1][number], sequenceLength: 5)
        let random = RandomFunction(seed: 6, purpose: .tests, stream: UInt64(number))
        for t in 0..<microBatch.tokens {
            microBatch.inputs[t] = Int32(random.integer(UInt64(2 * t), below: 11))
            microBatch.targets[t] = Int32(random.integer(UInt64(2 * t + 1), below: 11))
        }
        return microBatch
    }

    /// Buffers for one slot, for some and for all; one rank and several: the loss does not notice.
    @Test(arguments: [1, 2, 4], layers) func windowsLeaveNoTrace(ranks: Int, experts: ExpertsPerLayer) throws {
        let expected = try losses(experts, training: 8, evaluation: nil, ranks: 1)
        #expect(expected[2] == 0 && expected[0] > 0)
        for factor in [0.01, 0.3, 1.1, 8] {
            let found = try losses(experts, training: factor, evaluation: nil, ranks: ranks)
            for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-6 * b, "capacity factor \(factor)") }
        }
    }

    /// A capacity for evaluation drops the same assignments whatever the buffers are.
    @Test(arguments: [1, 2], layers) func evaluationHasACapacityOfItsOwn(ranks: Int, experts: ExpertsPerLayer) throws {
        let expected = try losses(experts, training: 8, evaluation: 0.6, ranks: 1)
        #expect(
            abs(expected[0] - (try losses(experts, training: 8, evaluation: nil, ranks: 1)[0])) > 1e-4,
            "nothing was dropped")
        for factor in [0.1, 0.6] {
            let found = try losses(experts, training: factor, evaluation: 0.6, ranks: ranks)
            for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-6 * b, "capacity factor \(factor)") }
        }
    }
}
