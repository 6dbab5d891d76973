import Configuration
import Diagnostics
import Testing

@Suite struct SharedExpertsConfigurationTests {
    private func read(_ keys: String, _ overrides: [String] = []) throws -> RunConfiguration {
        try RunConfiguration(
            ConfigurationDocument(
                yaml: """
                    data: {train: text}
                    model: {d_model: 24, layers: 2, heads: 4, context: 8, experts: 4, granularity: 2, \(keys)}
                    batch: {tokens: 64, micro_batch_tokens: 64}
                    train: {steps: 1}
                    """, file: "run.yaml", overrides: overrides))
    }

    @Test("shared experts have the hidden size of as many experts, or the one that is written")
    func sizes() throws {
        #expect(try read("top_k: 1").model.shared == .none)
        #expect(try read("shared_experts: 3").model.shared == SharedExpertsConfiguration(hiddenSize: 3 * 36))
        let own = try read("shared_experts: 1, shared_hidden_size: 50, shared_gate: true").model.shared
        #expect(own == SharedExpertsConfiguration(hiddenSize: 50, isGated: true))
        #expect(own.count(expertHiddenSize: 25) == 2 && own.count(expertHiddenSize: 36) == 1)
        #expect(SharedExpertsConfiguration.none.count(expertHiddenSize: 36) == 0)
    }

    @Test("the hidden size that `auto` stands for is recorded as `auto`")
    func recordedValue() throws {
        func recorded(_ keys: String) throws -> [String] {
            try read(keys).values.filter { $0.key == "model.shared_hidden_size" }.map(\.value)
        }
        #expect(try recorded("shared_experts: 2") == ["\"auto\""])
        #expect(try recorded("shared_experts: 2, shared_hidden_size: 72") == ["\"auto\""])
        #expect(try recorded("shared_experts: 2, shared_hidden_size: 71") == ["71"])
    }

    @Test(
        "settings of shared experts that there are none of are refused",
        arguments: [
            ("shared_hidden_size: 50", "`model.shared_hidden_size` has no effect without shared experts"),
            ("shared_experts: 0, shared_gate: true", "`model.shared_gate` has no effect without shared experts"),
            ("shared_experts: -1", "`model.shared_experts` is -1; allowed are 0 to 65536"),
            ("n_shared_experts: 1", "model.shared_experts"),
            (
                "shared_experts: 1, shared_hidden_size: 1_099_511_627_776",
                "`model.shared_hidden_size` is 1099511627776; allowed are 1 to 16777216"
            ),
            ("shared_experts: 65_536, feed_forward: 1000", "more than 16777216 together"),
            ("dense_layers: 1, dense_hidden_size: 16_777_217", "`model.dense_hidden_size` is 16777217; allowed are 1"),
        ])
    func refusals(keys: String, words: String) {
        let refused = failure { _ = try read(keys) }
        let said = "\(refused?.message ?? "accepted") \(refused?.advice ?? "")"
        #expect(said.contains(words), "\(said)")
    }

    @Test(
        "dense layers are the first ones or those of a list, with a hidden size of their own or a whole feed-forward's")
    func denseLayers() throws {
        #expect(try read("top_k: 1").model.dense == .none)
        #expect(try read("dense_layers: 1").model.dense == DenseLayersConfiguration([0], hiddenSize: 72))
        let last = try read("dense_layers: [1], dense_hidden_size: 5, shared_experts: 1").model
        #expect(last.dense == DenseLayersConfiguration([1], hiddenSize: 5))
        #expect(last.expertCounts == [8, 0] && last.routedLayers == 1)
        #expect(last.unroutedHiddenSize(inLayer: 0) == 36 && last.unroutedHiddenSize(inLayer: 1) == 5)
        #expect(!(try read("dense_layers: 1", ["model.experts=1", "model.granularity=1"]).model.isDense))
    }

    @Test("the numbers of dense layers are recorded in one way, and experts of such layers count for nothing")
    func recordedLayers() throws {
        func recorded(_ keys: String) throws -> [String] {
            try read(keys).values.filter { $0.key == "model.dense_layers" }.map(\.value)
        }
        #expect(try recorded("top_k: 1") == ["0"] && recorded("dense_layers: []") == ["0"])
        #expect(try recorded("dense_layers: [0]") == ["1"] && recorded("dense_layers: [1]") == ["[1]"])
        #expect(try read("dense_layers: 1, top_k: 3", ["model.experts=[2, 5]"]).model.experts == 5)
    }

    @Test(
        "dense layers that the model does not have are refused",
        arguments: [
            ("dense_layers: 2", "`model.dense_layers` leaves none of the 2 layers to the experts"),
            ("dense_layers: [2]", "`model.dense_layers` is [2]; allowed are numbers from 0 to 1, each once"),
            ("dense_layers: -1", "`model.dense_layers` must be a number of first layers"),
            ("dense_layers: [x]", "`model.dense_layers` must be a number of first layers"),
            ("dense_hidden_size: 8", "`model.dense_hidden_size` has no effect without dense layers"),
            ("dense_layers: 1, top_k: 5", "there are only 8 experts"),
            ("first_k_dense_replace: 1", "model.dense_layers"),
        ])
    func deniedLayers(keys: String, words: String) { refusals(keys: keys, words: words) }
}
