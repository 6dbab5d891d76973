import Configuration
import Diagnostics
import Testing

@Suite struct AttentionConfigurationTests {
    private func read(_ keys: String) throws -> RunConfiguration {
        try RunConfiguration(
            document(
                """
                data: {train: text}
                model: {d_model: 24, layers: 1, context: 8, \(keys)}
                batch: {tokens: 64, micro_batch_tokens: 64}
                train: {steps: 1}
                """))
    }

    @Test("heads of keys are as many as heads and d_model / heads wide unless the file says otherwise")
    func defaults() throws {
        #expect(try read("heads: 4").model.attention == AttentionConfiguration(heads: 4, headSize: 6))
        let grouped = try read("heads: 4, kv_heads: 2, head_size: 10, attention_bias: qkv, qk_norm: all").model
            .attention
        #expect(
            grouped == AttentionConfiguration(heads: 4, keyValueHeads: 2, headSize: 10, bias: .qkv, queryKeyNorm: .all))
        #expect(grouped.queryWidth == 40 && grouped.keyValueWidth == 20 && grouped.projectedWidth == 80)
        #expect(grouped.matrixElements(dModel: 24) == 24 * 80 + 40 * 24)
    }

    @Test("the number that `auto` stands for is recorded as `auto`")
    func recordedValues() throws {
        func recorded(_ keys: String) throws -> [String] {
            try read(keys).values.filter { ["model.kv_heads", "model.head_size"].contains($0.key) }.map(\.value)
        }
        #expect(try recorded("heads: 4") == ["\"auto\"", "\"auto\""])
        #expect(try recorded("heads: 4, kv_heads: 4, head_size: 6") == ["\"auto\"", "\"auto\""])
        #expect(try recorded("heads: 4, kv_heads: auto, head_size: 8") == ["\"auto\"", "8"])
        #expect(try recorded("heads: 5, kv_heads: 1, head_size: 8") == ["1", "8"])
    }

    @Test(
        "heads that do not fit each other are refused with those that would",
        arguments: [
            ("heads: 5", "`model.heads` is 5, which does not cut d_model 24 into heads of an even size"),
            ("heads: 8, head_size: auto", "`model.heads` is 8, which does not cut d_model 24"),
            ("heads: 4, head_size: 7", "`model.head_size` is 7, but rotary positions turn pairs"),
            ("heads: 4, kv_heads: 3", "`model.kv_heads` is 3, which does not divide the 4 heads"),
            ("heads: 4, kv_heads: 0", "`model.kv_heads` is 0; allowed are 1 to 10000, or `auto`"),
            ("heads: 4, kv_heads: few", "`model.kv_heads` must be a whole number or `auto`, but is `few`"),
            ("heads: 4, rope_factor: 2", "`model.rope_factor` is 2.0, but model.rope_scaling is `none`"),
            ("heads: 4, rope_fraction: 0.5", "which makes 3.0 of 6 columns of a head turn"),
            ("heads: 4, rope_original_context: 4", "`model.rope_original_context` has no effect with"),
            (
                "heads: 4, rope_low_rotations: 2",
                "`model.rope_low_rotations` has no effect with model.rope_scaling `none`"
            ),
            (
                "heads: 4, rope_scaling: linear, rope_high_rotations: 8",
                "`model.rope_high_rotations` has no effect with model.rope_scaling `linear`"
            ),
            ("heads: 4, rope_scaling: llama3, rope_low_rotations: 4", "not less than model.rope_high_rotations 4.0"),
            ("heads: 4, rope_scaling: yarn, rope_base: 1", "`model.rope_base` is 1"),
            ("heads: 4, qk_norm: heads", "`model.qk_norm` is `heads`; allowed are none, head, all"),
            ("heads: 4, attention_bias: q", "`model.attention_bias` is `q`; allowed are none, qkv, all"),
        ])
    func refusals(keys: String, words: String) {
        let refused = failure { _ = try read(keys) }
        #expect(refused?.message.contains(words) == true, "\(refused?.message ?? "accepted")")
    }
}
