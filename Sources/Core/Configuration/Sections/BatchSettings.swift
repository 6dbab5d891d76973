package import Diagnostics

/// How many tokens an optimizer step sees, and in what pieces.
package struct BatchSettings: Sendable, Equatable {
    /// Predicted tokens of one step.
    package var tokens: Int
    /// Tokens of one lane: a whole number of sequences.
    package var laneTokens: Int

    /// A step keeps figures of every lane, on every rank.
    private static let mostLanes = 1 << 20

    package var lanes: Int { tokens / laneTokens }

    package init(reading section: SettingsSection, context: Int) throws(Failure) {
        tokens = try section.integer("tokens", in: 1...1 << 40)
        guard tokens % context == 0 else {
            throw section.failure(
                "tokens", "is \(tokens), not a whole number of sequences of model.context = \(context) tokens",
                advice: "the nearest that are: \(max(1, tokens / context) * context) and "
                    + "\((tokens / context + 1) * context)")
        }
        laneTokens = try section.integer(
            "micro_batch_tokens", default: Self.defaultLane(batch: tokens, context: context), in: 1...1 << 31)
        guard laneTokens % context == 0 else {
            throw section.failure(
                "micro_batch_tokens",
                "is \(laneTokens), not a whole number of sequences of model.context = \(context) tokens",
                advice: "the nearest that are: \(max(1, laneTokens / context) * context) and "
                    + "\((laneTokens / context + 1) * context)")
        }
        guard tokens % laneTokens == 0 else {
            throw section.failure(
                "tokens",
                "is \(tokens), not a whole number of lanes of batch.micro_batch_tokens = \(laneTokens) tokens",
                advice: "the nearest that are: \(max(1, tokens / laneTokens) * laneTokens) and "
                    + "\((tokens / laneTokens + 1) * laneTokens)")
        }
        guard lanes <= Self.mostLanes else {
            throw section.failure(
                "tokens",
                "/ micro_batch_tokens = \(tokens) / \(laneTokens) are \(lanes) lanes; a step has at most \(Self.mostLanes)",
                advice:
                    "lower batch.tokens to at most \(Self.mostLanes * laneTokens), or raise batch.micro_batch_tokens")
        }
    }

    /// The most whole sequences that fit into 2048 tokens and divide the batch, at least one.
    private static func defaultLane(batch: Int, context: Int) -> Int {
        let most = max(1, 2048 / context)
        return context * ((1...most).last { batch % (context * $0) == 0 } ?? 1)
    }
}
