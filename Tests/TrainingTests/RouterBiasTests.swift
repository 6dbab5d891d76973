import TestSupport
import Checkpoints
import Collectives
import Configuration
import Data
import Foundation
import Inference
import Model
import Parallelism
import RunFormat
import Tensors
import Testing
import Training

@Suite("Biases of the router", .serialized) struct RouterBiasTests {
    /// Every token follows from the one before.
    private struct Repetitions: SequenceSource {
        func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
            var token = (5 * n + n * n) % 61
            for i in 0..<inputs.count {
                inputs[i] = Int32(token)
                token = (7 * token + 5) % 61
                targets[i] = Int32(token)
            }
        }
    }

    private func configuration(_ changes: [String]) throws -> ResolvedConfiguration {
        let yaml = """
            data: {train: synthetic}
            model: {d_model: 16, layers: 2, heads: 2, context: 16, experts: 8, top_k: 2, vocabulary_size: 61}
            routing: {load_balance_weight: 0, bias_update_rate: 0.015625}
            batch: {tokens: 192, micro_batch_tokens: 64}
            train: {steps: 60}
            schedule: {kind: constant}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "biases", overrides: changes)).resolved(
            tokenizer: 1)
    }

    /// What is left of a training: for each step the imbalance, the biases of layer 1 and its excess in the units of a gradient.
    private struct Trace: Sendable {
        var imbalance: [Double] = []
        var norms: [Double] = []
        var biases: [[Float]] = []
        var excess: [[Float]] = []
        var shape: [Int] = []
    }

    private func train(_ changes: [String], steps: Int) throws -> Trace {
        let configuration = try configuration(changes)
        return try VirtualRanks.run(1) { world in
            let engine = try Engine(configuration, expertParallelSize: 1, threads: 1, forTraining: true, on: world)
            let step = TrainingStep(configuration, engine, Repetitions())
            var state = TrainingState(for: engine), trace = Trace()
            Initialization(.switchTransformers, scale: 1, seed: 3).fill(state.parameters, on: engine.workers)
            for _ in 0..<steps {
                let outcome = try step.run(&state)
                trace.imbalance.append(outcome.microBatches.imbalance.reduce(0, +))
                trace.norms.append(outcome.gradientNorm)
                guard configuration.model.routerState != nil else { continue }
                let entry = engine.layout[engine.layout.id("blocks.1.router_bias")]
                trace.shape = entry.storedShape
                trace.biases.append(state.parameters.values[entry.range].array)
                trace.excess.append(entry.range.map { step.gradients.value(at: $0) })
            }
            return trace
        }[0]
    }

    @Test("an expert with more than its share sinks by the rate, one with less rises", arguments: [false, true])
    func follows(isExact: Bool) throws {
        let trace = try train(["routing.balancing=bias", "reproducible=\(isExact)"], steps: 12)
        var expected = [Float](repeating: 0, count: 8)
        for (biases, excess) in zip(trace.biases, trace.excess) {
            #expect(excess.reduce(0, +) == 0 && excess.contains { $0 > 0 })
            // 192 tokens with two choices over 8 experts: 48 each.
            let counts = excess.map { ($0 * 0x1p34 + 384) / 8 }
            #expect(counts.allSatisfy { $0 >= 0 && $0 == $0.rounded() } && counts.reduce(0, +) == 384, "\(counts)")
            for e in 0..<8 where counts[e] != 48 { expected[e] -= counts[e] > 48 ? 0.015625 : -0.015625 }
            #expect(biases == expected)
        }
        #expect(trace.shape == [8] && Set(expected).count > 1)
    }

    @Test("biases even the load out without a term of the loss") func balances() throws {
        /// The expert that is furthest from its share over twenty steps, in assignments of a step.
        func unevenness(_ rate: String) throws -> Float {
            let trace = try train(["routing.balancing=bias", "routing.bias_update_rate=\(rate)"], steps: 60)
            let late = trace.excess.suffix(20)
            return (0..<8).map { e in abs(late.reduce(0) { $0 + $1[e] }) * 0x1p34 / 8 / 20 }.max()!
        }
        let (without, with) = (try unevenness("0"), try unevenness("0.015625"))
        #expect(with < 0.4 * without && without > 5, "\(with) of 48 assignments with biases, \(without) without")
    }

    @Test("sums of assignments are no part of the gradient's norm; without a rate nothing changes") func norm() throws {
        let (without, with) = (
            try train([], steps: 3), try train(["routing.balancing=bias", "routing.bias_update_rate=0"], steps: 3)
        )
        #expect(with.norms == without.norms)
        #expect(with.biases.allSatisfy { $0.allSatisfy { $0 == 0 } })
    }

    @Test("checkpoints keep them: a run goes on with the same bits, on other ranks") func resumes() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["routing.balancing=bias", "routing.bias_update_rate=0.01"])
            try run.train(ranks: 2)
            let expected = try run.records()
            let stored = try CheckpointReader("\(run.directory.checkpoints)/step-00000006")
            #expect(try stored.read("parameters/blocks.0.router_bias").array.contains { $0 != 0 })
            try FileManager.default.removeItem(atPath: run.directory.path)
            try run.train(ranks: 1, ["train.steps=3"])
            try run.train(ranks: 2)
            #expect(try run.records().map(\.parameterDigest) == expected.map(\.parameterDigest))
        }
    }
}
