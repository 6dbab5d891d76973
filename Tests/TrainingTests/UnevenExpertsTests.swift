import Configuration
import Diagnostics
import Model
import Parallelism
import Testing
import Training

/// `model.experts` as a list: what the configuration, the layout of the job and the figures make of it.
struct UnevenExpertsTests {
    private func read(_ experts: String, _ others: [String] = []) throws -> RunConfiguration {
        let yaml = """
            data: {train: none}
            model: {d_model: 8, layers: 3, heads: 1, context: 4, vocabulary_size: 9, experts: \(experts)}
            batch: {tokens: 128, micro_batch_tokens: 4}
            train: {steps: 1}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "run.yaml", overrides: others))
    }

    private func cost(_ experts: String) throws -> ModelCost {
        ModelCost(try read(experts).resolved(tokenizer: 1).model)
    }

    private func stored(_ configuration: RunConfiguration) -> String? {
        configuration.values.first { $0.key == "model.experts" }?.value
    }

    @Test(arguments: [("[8, 4, 2]", "[8, 4, 2]"), ("[8, 8, 8]", "8"), ("8", "8"), ("[1_0, 2, 3]", "[10, 2, 3]")])
    func whatIsStoredIsReadAgain(given: String, kept: String) throws {
        let configuration = try read(given)
        #expect(stored(configuration) == kept)
        let again = try RunConfiguration(ConfigurationDocument(yaml: configuration.yaml, file: "stored"))
        #expect(again.model == configuration.model && stored(again) == kept)
        #expect(try read("1", ["model.experts=\(given)"]).model == configuration.model)
    }

    @Test(arguments: [
        ("[8, 4]", "run.yaml:2: `model.experts` has 2 numbers for 3 layers"),
        ("[]", "`model.experts` has 0 numbers for 3 layers"),
        ("[8, 0, 4]", "`model.experts` has 0; allowed are 1 to 65536"),
        ("[8, x, 4]", "must be a whole number, or a list with one for each layer, but is a list"),
        ("[[8, 8, 8]]", "must be a whole number, or a list with one for each layer, but is a list"),
        ("many", "must be a whole number, or a list with one for each layer, but is `many`"),
    ])
    func whatFitsNoLayersIsRefused(given: String, words: String) throws {
        let failure = #expect(throws: Failure.self) { try read(given) }
        #expect(failure?.status == .configuration && failure?.message.contains(words) == true, "\(failure!.message)")
    }

    @Test func aTokenNeedsItsExpertsInEveryLayer() throws {
        let failure = #expect(throws: Failure.self) { try read("[8, 2, 4]", ["model.top_k=3"]) }
        #expect(failure?.message.contains("3 choices per token, but there are only 2 experts in layer 1") == true)
    }

    @Test(arguments: [("[8, 4, 12]", 8, 4), ("[8, 4, 6]", 8, 2), ("[8, 1, 8]", 8, 1), ("[6, 3, 9]", 6, 3), ("8", 4, 4)])
    func expertParallelDividesEveryLayer(experts: String, ranks: Int, expected: Int) throws {
        #expect(try JobLayout(read(experts), ranks: ranks).expertParallelSize == expected)
    }

    @Test func theLayerThatItDoesNotDivideIsNamed() throws {
        let configuration = try read("[8, 6, 4]", ["parallel.expert_parallel=4"])
        let failure = #expect(throws: Failure.self) { try JobLayout(configuration, ranks: 4) }
        #expect(failure?.message.contains("must divide both the 6 experts of layer 1 and the 4 ranks") == true)
        #expect(failure?.advice?.contains("allowed here are 1, 2") == true)
    }

    /// A layer's experts cost memory and no arithmetic; its router costs both.
    @Test func figuresCountWhatIsThere() throws {
        let even = try cost("4"), uneven = try cost("[2, 7, 3]")
        let router = 8, expert = 3 * 8 * 24
        #expect(uneven.totalParameters == even.totalParameters)
        #expect(try cost("[2, 7, 4]").totalParameters == even.totalParameters + router + expert)
        #expect(uneven.activeParameters == even.activeParameters && uneven.flopsPerToken == even.flopsPerToken)
        #expect(uneven.expertFlopsPerToken == Double(6 * 3 * expert))
    }
}
