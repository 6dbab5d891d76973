package import Diagnostics

/// How many tokens an optimizer step sees, and in what pieces.
package struct BatchConfiguration: Sendable, Equatable {
    /// A size that steps have until `until` tokens of the run have been seen.
    package struct Stage: Sendable, Equatable {
        /// Predicted tokens of one step.
        package var tokens: Int
        package var until: Int
    }

    /// The sizes of the steps before `tokens`, in the order of their ends; empty if all steps are equal.
    package var ramp: [Stage]
    /// Predicted tokens of one step, after the ramp.
    package var tokens: Int
    /// Tokens of one micro-batch, the same in all stages: a whole number of sequences.
    package var microBatchTokens: Int

    /// A step keeps figures of every micro-batch, on every rank.
    private static let mostMicroBatches = 1 << 20

    /// - Parameters:
    ///   - section: `batch`
    ///   - context: `model.context`
    ///   - length: `train`, which Step Law's batch depends on
    package init(
        reading section: ConfigurationSection, context: Int, in length: ConfigurationSection
    ) throws(Failure) {
        ramp = try Self.ramp(reading: section)
        if let tokens = try Self.stepLaw(reading: section, context, length) {
            self.tokens = tokens
        } else {
            tokens = try section.integer("tokens", in: Self.allowedTokens)
        }
        let sizes = ramp.map { ("ramp", $0.tokens) } + [("tokens", tokens)]
        for (key, size) in sizes {
            try Self.requireWhole(size, section, key, of: context, "sequences of model.context")
        }
        microBatchTokens = try section.integer(
            "micro_batch_tokens", default: Self.defaultMicroBatch(sizes: sizes.map(\.1), context), in: 1...1 << 31)
        guard microBatchTokens % context == 0 else {
            throw section.failure(
                "micro_batch_tokens",
                "is \(microBatchTokens), not a whole number of sequences of model.context = \(context) tokens",
                advice: nearestMultiples(of: context, to: microBatchTokens))
        }
        for (key, size) in sizes {
            try Self.requireWhole(
                size, section, key, of: microBatchTokens, "micro-batches of batch.micro_batch_tokens")
        }
        guard largestStep.microBatches <= Self.mostMicroBatches else {
            throw section.failure(
                "tokens",
                "/ micro_batch_tokens = \(largestStep.tokens) / \(microBatchTokens) are \(largestStep.microBatches) micro-batches; a step has at most \(Self.mostMicroBatches)",
                advice:
                    "lower batch.tokens to at most \(Self.mostMicroBatches * microBatchTokens), or raise batch.micro_batch_tokens"
            )
        }
    }

    private static let allowedTokens = 1...1 << 40

    /// Step Law's batch for the length of the run, in whole micro-batches; nil if `tokens` is a number. The resolved configuration
    /// keeps the number, so that a run that is made longer does not get another batch.
    private static func stepLaw(
        reading section: ConfigurationSection, _ context: Int, _ length: ConfigurationSection
    ) throws(Failure) -> Int? {
        guard section.isWord("tokens", "step-law") else { return nil }
        guard length.contains("tokens") else {
            throw section.failure(
                "tokens", "is `step-law`, which needs the length of the run in tokens", advice: "give train.tokens")
        }
        let run = try length.integer("tokens", in: 1...TrainConfiguration.mostTokens)
        let part =
            section.contains("micro_batch_tokens")
            ? try section.integer("micro_batch_tokens", in: 1...1 << 31) : max(1, 2048 / context) * context
        let tokens = Int(max(1, (StepLaw.batchTokens(tokens: Double(run)) / Double(part)).rounded())) * part
        section.record("tokens", asWritten: "\(tokens)")
        return tokens
    }

    private static func ramp(reading section: ConfigurationSection) throws(Failure) -> [Stage] {
        let ramp = try section.blocks("ramp") { block throws(Failure) in
            Stage(
                tokens: try block.integer("tokens", in: allowedTokens),
                until: try block.integer("until", in: 1...1 << 60))
        }
        for (earlier, later) in zip(ramp, ramp.dropFirst()) where later.until <= earlier.until {
            throw section.failure(
                "ramp", "has a stage until \(later.until) tokens after one until \(earlier.until)",
                advice:
                    "order the stages by `until`, the tokens of the run at which each ends; batch.tokens follows the last"
            )
        }
        return ramp
    }

    /// - Parameters:
    ///   - size: tokens of a step
    ///   - section: `batch`
    ///   - key: which says the size
    ///   - part: tokens of what a step consists of
    ///   - parts: what that is called
    private static func requireWhole(
        _ size: Int, _ section: ConfigurationSection, _ key: String, of part: Int, _ parts: String
    ) throws(Failure) {
        guard size % part != 0 else { return }
        let found = key == "ramp" ? "has steps of \(size) tokens" : "is \(size)"
        throw section.failure(
            key, "\(found), not a whole number of \(parts) = \(part) tokens",
            advice: nearestMultiples(of: part, to: size))
    }

    /// The most whole sequences that fit into 2048 tokens and divide every step, at least one.
    private static func defaultMicroBatch(sizes: [Int], _ context: Int) -> Int {
        let most = max(1, 2048 / context)
        return context * ((1...most).last { count in sizes.allSatisfy { $0 % (context * count) == 0 } } ?? 1)
    }
}

private func nearestMultiples(of part: Int, to size: Int) -> String {
    "the nearest that are: \(max(1, size / part) * part) and \((size / part + 1) * part)"
}
