import Configuration
import Model
import Testing
import Training

/// What shared experts add to the figures of a model.
struct SharedExpertsCostTests {
    private func model(_ keys: [String]) throws -> ModelShape {
        let yaml = """
            data: {train: none}
            model: {d_model: 8, layers: 3, heads: 1, context: 4, vocabulary_size: 9, experts: 4, top_k: 2}
            batch: {tokens: 128, micro_batch_tokens: 4}
            train: {steps: 1}
            """
        let document = try ConfigurationDocument(
            yaml: yaml, file: "run.yaml", overrides: keys.map { "model.\($0)" })
        return try RunConfiguration(document).resolved(tokenizer: 1).model
    }

    @Test("shared experts are parameters that every token meets, and no work that a dropped token saves")
    func counts() throws {
        let plain = ModelCost(try model([]))
        for (keys, size, gate) in [
            (["shared_experts=2"], 48, 0), (["shared_experts=1", "shared_hidden_size=5", "shared_gate=true"], 5, 8),
        ] {
            let found = ModelCost(try model(keys)), added = 3 * (3 * 8 * size + gate)
            #expect(found.totalParameters - plain.totalParameters == added)
            #expect(found.activeParameters - plain.activeParameters == added)
            #expect(found.flopsPerToken - plain.flopsPerToken == 6 * Double(added))
            #expect(found.expertFlopsPerToken == plain.expertFlopsPerToken)
        }
    }

    @Test("every rank holds all shared experts whole, in the range of replicated parameters")
    func replicated() throws {
        let layout = ParameterLayout(
            try model(["shared_experts=1", "shared_gate=true"]), ExpertShard(1, of: 2))
        for name in ["shared_experts.gate_up", "shared_experts.down", "shared_gate"] {
            let entry = layout[layout.id("blocks.2.\(name)")]
            #expect(entry.experts == nil && entry.count == entry.globalCount)
            #expect(layout.replicatedRange.contains(entry.offset))
        }
    }

    @Test("a dense layer has the parameters of its feed-forward, all of which a token meets, and no router")
    func denseLayers() throws {
        let plain = ModelCost(try model([])), found = ModelCost(try model(["dense_layers=[1]", "dense_hidden_size=7"]))
        let (router, expert, dense) = (8 * 4, 3 * 8 * 24, 3 * 8 * 7)
        #expect(plain.totalParameters - found.totalParameters == router + 4 * expert - dense)
        #expect(plain.activeParameters - found.activeParameters == router + 2 * expert - dense)
        #expect(found.expertFlopsPerToken * 3 == plain.expertFlopsPerToken * 2)
    }
}
