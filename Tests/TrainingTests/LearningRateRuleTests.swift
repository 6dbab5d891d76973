import TestSupport
import Configuration
import Diagnostics
import Foundation
import Model
import RunFormat
import Testing
import Training

@Suite("Rules for learning rate and batch") struct LearningRateRuleTests {
    private func configuration(_ changes: [String]) throws -> ResolvedConfiguration {
        let yaml = """
            data: {train: x}
            model: {d_model: 64, layers: 3, heads: 2, context: 128, experts: 8, top_k: 2, granularity: 2}
            batch: {tokens: 4096}
            train: {tokens: 10_000_000}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "test", overrides: changes))
            .resolved(tokenizer: 500)
    }

    /// Of the layout that is trained, tensor by tensor.
    private func count(_ model: ModelShape, _ isCounted: (ParameterEntry) -> Double) -> Double {
        ParameterLayout(model, .all).entries.reduce(0) { $0 + isCounted($1) * Double($1.globalCount) }
    }

    @Test("auto counts what a token meets, with embedding and head", arguments: [false, true])
    func jointRule(isTied: Bool) throws {
        let found = try configuration(["optimizer.learning_rate=auto", "model.tie_embeddings=\(isTied)"])
        let active = count(found.model) { entry in
            if entry.experts != nil { return 4.0 / 16 }
            return entry.hasWeightDecay && !entry.name.hasSuffix("router") ? 1 : 0
        }
        let expected = exp(8.391640956234012 - 0.8121798244457074 * log(active) - 0.25 * log(8))
        #expect(abs(found.peakLearningRate / expected - 1) < 1e-12)
        #expect(try #require(found.learningRateInWords).contains("E = 8"))
        #expect(try #require(found.learningRateInWords).hasSuffix("look for the best rate at this size"))
    }

    @Test("step-law counts attention and all experts, and the run's tokens") func stepLaw() throws {
        let found = try configuration(["optimizer.learning_rate=step-law", "batch.tokens=step-law"])
        let body = count(found.model) { entry in
            entry.block != nil && entry.hasWeightDecay && !entry.name.hasSuffix("router") ? 1 : 0
        }
        let tokens = 0.58 * pow(1e7, 0.571)
        #expect(found.batch.tokens == Int((tokens / 2048).rounded()) * 2048)
        let expected = 1.79 * pow(body, -0.713) * pow(Double(found.endTokens), 0.307)
        #expect(abs(found.peakLearningRate / expected - 1) < 1e-12)
        // A run that goes on with more tokens keeps its batch.
        let stored = try ConfigurationDocument(yaml: found.yaml, file: "stored", overrides: ["train.tokens=90_000_000"])
        #expect(try RunConfiguration(stored).batch.tokens == found.batch.tokens)
        #expect(try RunConfiguration(stored).optimizer.learningRate == .stepLaw)
    }

    @Test(
        "rules where they do not hold are refused",
        arguments: [
            (["optimizer.learning_rate=auto", "model.experts=[8, 4, 8]"], "the rule knows one number of experts"),
            (["optimizer.learning_rate=step-law", "train.branches=[500_000]"], "another rate"),
            (["batch.tokens=step-law", "train.tokens=null", "train.steps=5"], "needs the length of the run in tokens"),
            (["optimizer.learning_rate=best"], "must be a number, but is `best`"),
        ])
    func refused(changes: [String], message: String) {
        let failure = #expect(throws: Failure.self) { try configuration(changes) }
        #expect(failure?.message.contains(message) == true, "\(failure as Any)")
    }

    @Test("a branch by hand of a run by Step Law is refused; a run by the joint rule trains") func training() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["optimizer.learning_rate=auto"], length: "steps: 3")
            try run.train()
            let rate = try run.resolved().peakLearningRate
            #expect(try run.records().allSatisfy { $0.learningRate == rate } && rate > 0.001)
            let law = try run.configuration(["optimizer.learning_rate=step-law"]), record = try run.checkpointRecord(3)
            #expect(throws: Failure.self) { try law.branchOverrides(from: record, decayTokens: 512) }
        }
    }
}
