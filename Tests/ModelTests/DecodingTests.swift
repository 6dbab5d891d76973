import Collectives
import Configuration
import MatrixProducts
import Model
import Randomness
import Tensors
import TestSupport
import Testing

/// A sequence that goes on token by token over kept keys and values has the logits of one that is computed afresh.
@Suite(.timeLimit(.minutes(60))) struct DecodingTests {
    private static let context = 150

    struct Case: Sendable {
        var experts: Int, choices: Int, ranks: Int, norm = NormKind.rms, keyValueHeads = 3
        var shared = SharedExpertsConfiguration.none
        var dense = DenseLayersConfiguration.none
    }

    /// To the order of sums.
    @Test(arguments: [
        Case(experts: 4, choices: 1, ranks: 1), Case(experts: 4, choices: 2, ranks: 1, norm: .layer),
        Case(experts: 4, choices: 2, ranks: 2), Case(experts: 4, choices: 1, ranks: 4),
        Case(experts: 4, choices: 2, ranks: 1, keyValueHeads: 1),
        Case(experts: 4, choices: 1, ranks: 2, shared: SharedExpertsConfiguration(hiddenSize: 20, isGated: true)),
        Case(experts: 4, choices: 2, ranks: 2, dense: DenseLayersConfiguration([0], hiddenSize: 30)),
    ])
    func equalsRecomputation(test: Case) throws {
        #expect(try errors(test, .float32).allSatisfy { $0 <= 1e-5 })
    }

    /// To the rounding of keys, values and answers. Every token goes to all experts: nothing hangs on a choice.
    @Test(
        .enabled(if: ProductLibrary.supports(.bfloat16)),
        arguments: [
            Case(experts: 1, choices: 1, ranks: 1), Case(experts: 2, choices: 2, ranks: 1, norm: .layer),
            Case(experts: 2, choices: 2, ranks: 2), Case(experts: 1, choices: 1, ranks: 1, keyValueHeads: 1),
        ])
    func equalsRecomputationRounded(test: Case) throws {
        #expect(try errors(test, .bfloat16).allSatisfy { $0 <= 8 * 0x1p-8 })
    }

    /// Where tokens choose, rounding tips a choice now and then, which moves logits by more than any rounding.
    @Test(
        .enabled(if: ProductLibrary.supports(.bfloat16)),
        arguments: [Case(experts: 4, choices: 1, ranks: 1), Case(experts: 4, choices: 2, ranks: 2)])
    func equalsRecomputationButForTies(test: Case) throws {
        let found = try errors(test, .bfloat16)
        #expect(found.count { !($0 <= 8 * 0x1p-8) } <= found.count / 50)
    }

    /// Position by position after prompts of one token, of some, and of more than attention's tile of 128 queries: the
    /// largest deviation of a logit over the largest logit.
    private func errors(_ test: Case, _ precision: Precision) throws -> [Double] {
        var model = ModelShape(
            dModel: 24, layers: 3, heads: 3, context: Self.context, vocabularySize: 31,
            experts: ExpertsPerLayer(test.experts), topK: test.choices, norm: test.norm)
        model.attention = AttentionConfiguration(
            heads: 3, keyValueHeads: test.keyValueHeads, headSize: 8, bias: test.keyValueHeads == 1 ? .all : .none,
            queryKeyNorm: test.keyValueHeads == 1 ? .head : .none)
        (model.shared, model.dense) = (test.shared, test.dense)
        return try VirtualRanks.run(test.ranks) { [model] world in
            let bench = try Bench(
                model, .plain, precision, microBatchTokens: Self.context, microBatches: 1, isExact: false, threads: 2,
                on: world,
                expertParallelSize: test.ranks)
            bench.fillParameters(seed: 3)
            bench.parameters.refresh(on: bench.workers)
            let expected = try (1...Self.context).map { try logits(bench, KeyValueCache(model, precision), 0..<$0) }
            let cache = KeyValueCache(model, precision)
            return try [1, 7, 130].flatMap { prompt in
                cache.reset()
                #expect(try logits(bench, cache, 0..<prompt) == expected[prompt - 1])
                return try (prompt..<Self.context).map { position in
                    let found = try logits(bench, cache, position..<position + 1), right = expected[position]
                    return LargestDeviation(found, right).value / Double(right.map(abs).max()!)
                }
            }
        }.flatMap(\.self)
    }

    /// Of what follows the tokens of `positions`, once those before them are in `cache`.
    private func logits(_ bench: Bench, _ cache: KeyValueCache, _ positions: Range<Int>) throws -> [Float] {
        let random = RandomFunction(seed: 8, purpose: .tests)
        let microBatch = MicroBatch(sequences: 1, sequenceLength: positions.count)
        for (i, position) in positions.enumerated() {
            microBatch.inputs[i] = Int32(random.integer(UInt64(position), below: 31))
        }
        return try bench.model.nextTokenLogits(
            microBatch, in: bench.pass(.evaluation, of: microBatch, cache: cache)
        ).vector.array
    }
}
