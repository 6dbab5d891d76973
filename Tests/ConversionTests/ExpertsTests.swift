import TestSupport
import Checkpoints
import Configuration
import Conversion
import Foundation
import MPI
import Model
import Parallelism
import Platform
import Tensors
import Testing

struct ExpertsTests {
    private func calibrate(_ checkpoint: String, in folder: String) throws -> Calibration {
        let text = (0..<60).map { "Line \($0) says something, and \($0 * 7) something else.\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: folder + "/text.txt"))
        return try onOneRank { world in
            try Calibration(
                SourceCheckpoint(CheckpointReader(checkpoint)), on: [folder + "/text.txt"], in: folder + "/data",
                tokens: 1000,
                threads: 1, world: world)
        }
    }

    @Test(arguments: [(2, 1), (4, 2), (5, 5)]) func upcyclingKeepsTheLoss(experts: Int, topK: Int) throws {
        try inScratchFolder { folder in
            let dense = try TinyModel().write(in: folder)
            let source = try SourceCheckpoint(CheckpointReader(dense))
            _ = try Upcycle(source, experts: experts, topK: topK).write(to: folder + "/up", run: "up", versions: [:])
            let (before, after) = (try calibrate(dense, in: folder), try calibrate(folder + "/up", in: folder))
            #expect(abs(before.loss - after.loss) < 1e-5 && before.tokens == 992)
            #expect(after.counts[0].reduce(0, +) == after.tokens * topK)
            // The router is new: it does not send every token to the same experts.
            #expect(topK == experts || after.counts[0].filter { $0 > 0 }.count > topK)
        }
    }

    @Test func onlyDenseModelsAreUpcycled() throws {
        try inScratchFolder { folder in
            let source = try SourceCheckpoint(CheckpointReader(TinyModel(["model.experts=2"]).write(in: folder)))
            #expect(refusal { _ = try Upcycle(source, experts: 4, topK: 2) }?.contains("has 2 experts a layer") == true)
        }
    }

    @Test(arguments: PruningRule.allCases, PruningScope.allCases)
    func keepingAllChangesNothing(rule: PruningRule, scope: PruningScope) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=4", "model.granularity=2"]).write(in: folder)
            let use = try calibrate(checkpoint, in: folder)
            let prune = try Prune(
                SourceCheckpoint(CheckpointReader(checkpoint)), experts: 4, by: rule, over: scope, use)
            _ = try prune.write(to: folder + "/pruned", run: "pruned", versions: [:])
            #expect(try digests(checkpoint) == digests(folder + "/pruned"))
            #expect(prune.kept.numbers == Array(repeating: Array(0..<8), count: 3) && prune.kept.experts == 4)
        }
    }

    @Test(arguments: PruningRule.allCases) func theMostUsedStayInTheirOrder(rule: PruningRule) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=8", "model.top_k=2"]).write(in: folder)
            let use = try calibrate(checkpoint, in: folder), reader = try CheckpointReader(checkpoint)
            let prune = try Prune(SourceCheckpoint(reader), experts: 3, by: rule, over: .layer, use)
            _ = try prune.write(to: folder + "/pruned", run: "pruned", versions: [:])
            let pruned = try CheckpointReader(folder + "/pruned")
            for (layer, kept) in prune.kept.numbers.enumerated() {
                let scores = rule == .counts ? use.counts[layer].map(Double.init) : use.probabilities[layer]
                let least = kept.map { scores[$0] }.min() ?? 0
                #expect(kept == kept.sorted() && Set(kept).count == 3)
                #expect((0..<8).allSatisfy { kept.contains($0) || scores[$0] <= least })
                let router = "parameters/blocks.\(layer).router", down = "parameters/blocks.\(layer).experts.down"
                for (column, expert) in kept.enumerated() {
                    #expect(
                        try pruned.read(router, offset: [0, column], shape: [12, 1]).array
                            == reader.read(router, offset: [0, expert], shape: [12, 1]).array)
                    #expect(
                        try pruned.read(down, offset: [column, 0, 0], shape: [1, 36, 12]).array
                            == reader.read(down, offset: [expert, 0, 0], shape: [1, 36, 12]).array)
                }
            }
            #expect(try calibrate(folder + "/pruned", in: folder).loss != use.loss)
            try export(folder + "/pruned", to: folder + "/e")
            _ = try check(folder + "/e", is: folder + "/pruned")
        }
    }

    @Test("a router's biases stay with their experts; new experts begin without; no class of transformers has them")
    func biases() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=8", "model.top_k=2", "routing.balancing=bias"])
                .write(in: folder) { parameters in
                    for layer in 0..<3 {
                        let biases = parameters.vector(parameters.layout.id("blocks.\(layer).router_bias"))
                        for e in 0..<8 { biases[e] = Float((3 * e + layer) % 8) / 64 }
                    }
                }
            let source = try SourceCheckpoint(CheckpointReader(checkpoint)), use = try calibrate(checkpoint, in: folder)
            let prune = try Prune(source, experts: 3, by: .counts, over: .layer, use)
            _ = try prune.write(to: folder + "/pruned", run: "pruned", versions: [:])
            let pruned = try CheckpointReader(folder + "/pruned")
            for (layer, kept) in prune.kept.numbers.enumerated() {
                #expect(
                    try pruned.read("parameters/blocks.\(layer).router_bias").array
                        == kept.map { Float((3 * $0 + layer) % 8) / 64 })
            }
            #expect(
                refusal { try export(folder + "/pruned", to: folder + "/e") }?.contains("routing.balancing") == true)
            let dense = try SourceCheckpoint(
                CheckpointReader(TinyModel(["routing.balancing=bias"]).write(in: folder + "/dense")))
            _ = try Upcycle(dense, experts: 4, topK: 2).write(to: folder + "/up", run: "up", versions: [:])
            let up = try CheckpointReader(folder + "/up")
            #expect(try up.read("parameters/blocks.2.router_bias").array == [0, 0, 0, 0])
        }
    }

    /// Layers come to hold different numbers; the result evaluates, is the same model in Hugging Face's class, and can be
    /// pruned again.
    @Test func theMostUsedOfTheWholeModelStay() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=8", "model.top_k=2", "routing.normalize_gates=true"])
                .write(in: folder)
            let use = try calibrate(checkpoint, in: folder)
            let source = try SourceCheckpoint(CheckpointReader(checkpoint))
            let choices = try (3...7).map { try Prune(source, experts: $0, by: .counts, over: .model, use) }
            let prune = try #require(choices.first { $0.kept.experts.uniform == nil })
            _ = try prune.write(to: folder + "/pruned", run: "pruned", versions: ["a library": "1.0"])
            let numbers = prune.kept.numbers.map(\.count)
            #expect(numbers.reduce(0, +) % 3 == 0 && numbers.min()! >= 2)
            let reader = try CheckpointReader(folder + "/pruned"), pruned = try SourceCheckpoint(reader)
            #expect(
                pruned.configuration.model.expertCounts == numbers && reader.record.versions == ["a library": "1.0"])
            let again = try calibrate(folder + "/pruned", in: folder)
            #expect(again.counts.map(\.count) == numbers && again.loss != use.loss)
            try export(folder + "/pruned", to: folder + "/e")
            _ = try check(folder + "/e", is: folder + "/pruned")
            let more = try Prune(pruned, experts: 2, by: .counts, over: .layer, again)
            #expect(more.kept.numbers.map(\.count) == numbers.map { min($0, 2) })
        }
    }

    @Test("pruning leaves dense layers and shared experts as they are")
    func denseLayersStay() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel([
                "model.experts=8", "model.top_k=2", "model.dense_layers=1", "model.shared_experts=1",
            ]).write(in: folder)
            let use = try calibrate(checkpoint, in: folder), before = try digests(checkpoint)
            #expect(use.counts.map(\.count) == [0, 8, 8])
            let source = try SourceCheckpoint(CheckpointReader(checkpoint))
            let prune = try Prune(source, experts: 3, by: .counts, over: .layer, use)
            _ = try prune.write(to: folder + "/pruned", run: "pruned", versions: [:])
            let after = try digests(folder + "/pruned")
            for name in before.keys where !name.contains(".experts.") && !name.hasSuffix(".router") {
                #expect(after[name] == before[name], "\(name)")
            }
            #expect(after.count == before.count)
            #expect(try calibrate(folder + "/pruned", in: folder).counts.map(\.count) == [0, 3, 3])
        }
    }

    /// Counts are of choices, probabilities of all experts.
    @Test func useIsCounted() throws {
        try inScratchFolder { folder in
            let use = try calibrate(TinyModel(["model.experts=8", "model.top_k=2"]).write(in: folder), in: folder)
            for layer in 0..<3 {
                #expect(use.counts[layer].reduce(0, +) == 2 * use.tokens)
                #expect(abs(use.probabilities[layer].reduce(0, +) - Double(use.tokens)) < 0.01)
            }
        }
    }

    @Test func tooFewOrTooManyAreRefused() throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=8", "model.top_k=2"]).write(in: folder)
            let use = try calibrate(checkpoint, in: folder), source = try SourceCheckpoint(CheckpointReader(checkpoint))
            for experts in [0, 1, 9] {
                let message = refusal { _ = try Prune(source, experts: experts, by: .counts, over: .layer, use) }
                #expect(message?.contains("a token chooses 2") == true)
            }
        }
    }
}
