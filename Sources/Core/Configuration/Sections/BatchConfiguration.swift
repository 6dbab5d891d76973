package import Diagnostics

/// How many tokens an optimizer step sees, and in what pieces.
package struct BatchConfiguration: Sendable, Equatable {
    /// Predicted tokens of one step.
    package var tokens: Int
    /// Tokens of one micro-batch: a whole number of sequences.
    package var microBatchTokens: Int

    /// A step keeps figures of every micro-batch, on every rank.
    private static let mostMicroBatches = 1 << 20

    package var microBatches: Int { tokens / microBatchTokens }

    package init(reading section: ConfigurationSection, context: Int) throws(Failure) {
        tokens = try section.integer("tokens", in: 1...1 << 40)
        guard tokens % context == 0 else {
            throw section.failure(
                "tokens", "is \(tokens), not a whole number of sequences of model.context = \(context) tokens",
                advice: "the nearest that are: \(max(1, tokens / context) * context) and "
                    + "\((tokens / context + 1) * context)")
        }
        microBatchTokens = try section.integer(
            "micro_batch_tokens", default: Self.defaultMicroBatch(batch: tokens, context: context), in: 1...1 << 31)
        guard microBatchTokens % context == 0 else {
            throw section.failure(
                "micro_batch_tokens",
                "is \(microBatchTokens), not a whole number of sequences of model.context = \(context) tokens",
                advice: "the nearest that are: \(max(1, microBatchTokens / context) * context) and "
                    + "\((microBatchTokens / context + 1) * context)")
        }
        guard tokens % microBatchTokens == 0 else {
            throw section.failure(
                "tokens",
                "is \(tokens), not a whole number of micro-batches of batch.micro_batch_tokens = \(microBatchTokens) tokens",
                advice: "the nearest that are: \(max(1, tokens / microBatchTokens) * microBatchTokens) and "
                    + "\((tokens / microBatchTokens + 1) * microBatchTokens)")
        }
        guard microBatches <= Self.mostMicroBatches else {
            throw section.failure(
                "tokens",
                "/ micro_batch_tokens = \(tokens) / \(microBatchTokens) are \(microBatches) micro-batches; a step has at most \(Self.mostMicroBatches)",
                advice:
                    "lower batch.tokens to at most \(Self.mostMicroBatches * microBatchTokens), or raise batch.micro_batch_tokens"
            )
        }
    }

    /// The most whole sequences that fit into 2048 tokens and divide the batch, at least one.
    private static func defaultMicroBatch(batch: Int, context: Int) -> Int {
        let most = max(1, 2048 / context)
        return context * ((1...most).last { batch % (context * $0) == 0 } ?? 1)
    }
}
