import Configuration
import Diagnostics
import Testing

@Suite struct SharedExpertsConfigurationTests {
    private func read(_ keys: String) throws -> RunConfiguration {
        try RunConfiguration(
            document(
                """
                data: {train: text}
                model: {d_model: 24, layers: 2, heads: 4, context: 8, experts: 4, granularity: 2, \(keys)}
                batch: {tokens: 64, micro_batch_tokens: 64}
                train: {steps: 1}
                """))
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
        ])
    func refusals(keys: String, words: String) {
        let refused = failure { _ = try read(keys) }
        let said = "\(refused?.message ?? "accepted") \(refused?.advice ?? "")"
        #expect(said.contains(words), "\(said)")
    }
}
