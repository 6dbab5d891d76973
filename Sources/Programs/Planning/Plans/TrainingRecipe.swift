import Configuration

/// How a study trained its models: what a plan proposes and a planned configuration says.
struct TrainingRecipe: Sendable {
    let counting: Counting

    init(_ counting: Counting) { self.counting = counting }

    /// The peak: by the joint study's rule, or the fine-grained study's 2e-4 for all sizes.
    func learningRate(active: Double, experts: Double) -> Double {
        counting == .fineGrained ? 2e-4 : peakLearningRate(active: active, experts: experts)
    }

    /// What to say of that rate; nil if nothing.
    func learningRateCaution(active: Double) -> String? {
        counting == .fineGrained ? nil : peakLearningRateCaution(active: active)
    }

    /// Tokens of a step; 0.5M in the fine-grained study.
    func batch(tokens: Double) -> [BatchStage] {
        counting == .fineGrained ? [BatchStage(fromToken: 0, tokens: 524_288)] : batchRamp(tokens: tokens)
    }

    /// The section `schedule` for a run of `tokens`.
    func schedule(tokens: Int) -> KeyValuePairs<String, WrittenConfiguration.Value> {
        switch counting {
        case .decoder:
            // 130M tokens in the paper; a tenth of a run that is too short for it.
            [
                "kind": .word("wsd"), "warmup_tokens": .integer(min(130_000_000, tokens / 10)), "decay_share": 0.2,
                "final_share": 0,
            ]
        case .fineGrained:
            ["kind": .word("cosine"), "warmup_tokens": .integer(tokens / 100), "final_share": 0.1]
        }
    }
}
