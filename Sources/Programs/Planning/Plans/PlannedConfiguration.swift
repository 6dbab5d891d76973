package import Diagnostics
import Platform

/// What a planned run takes from its machine and user.
package struct RunPaths: Sendable {
    package var directory: String
    package var train: String
    package var tokenizer: String
    /// `data.validation`
    package var validation = "tail 0.01"
    /// Whether the machine computes in bfloat16, as the recipe does.
    package var hasBFloat16 = false

    package init(directory: String, train: String, tokenizer: String) {
        self.directory = directory
        self.train = train
        self.tokenizer = tokenizer
    }
}

extension Plan {
    /// The YAML with which `switchyard train` trains the model of `entry` by the recipe of the law's study.
    ///
    /// - Throws: a `Failure` if the trainer cannot train that model
    package func runConfiguration(_ entry: PlanEntry, in places: RunPaths) throws(Failure) -> String {
        try refuseWhatCannotBeTrained(entry)
        return """
            # Planned with the law `\(law.name)` (\(law.metadata.source)).
            \(summary(entry))
            seed: 1
            \(precision(places))
            \(model(entry))
            routing:
              capacity_factor: 1.0
              evaluation_capacity_factor: dropless
              load_balance_weight: 0.01
              z_loss_weight: 0.001
              normalize_gates: false
            \(batch(entry))
            train:
              tokens: \(wholeTokens(entry))
              # The recipe's 67M tokens, or a twentieth of a shorter run.
              validation_tokens: \(max(Int(request.context), min(67_108_864, wholeTokens(entry) / 20)))
            optimizer:
              learning_rate: \(scientific(entry.learningRate))
              beta1: 0.9
              beta2: 0.999
              epsilon: 1.0e-8
              weight_decay: 0.1
              gradient_clip: 0.1
            \(TrainingRecipe(law.metadata.counting).schedule(tokens: wholeTokens(entry)))
            checkpoint:
              every_minutes: 30
            data:
              train: \(quoted(places.train))
              validation: \(places.validation)
              tokenizer: \(quoted(places.tokenizer))
            run:
              directory: \(quoted(places.directory))

            """
    }

    private func refuseWhatCannotBeTrained(_ entry: PlanEntry) throws(Failure) {
        for (flag, value) in [("--vocabulary-size", request.vocabularySize), ("--experts", entry.experts)]
        where value > 65536 {
            throw Failure(
                .usage, "the trainer takes at most 65,536 as \(flag), not \(Int(value))",
                advice: "leave --write-config out, or plan with less")
        }
    }

    private func precision(_ places: RunPaths) -> String {
        places.hasBFloat16
            ? "precision: bfloat16"
            : "# The recipe's bfloat16 needs a build with oneDNN and a CPU with AVX-512.\nprecision: float32"
    }

    private func model(_ entry: PlanEntry) -> String {
        """
        model:
          d_model: \(Int(entry.buildable.dModel))
          layers: \(Int(entry.buildable.layers))
          heads: \(Int(entry.buildable.layers))
          context: \(Int(request.context))
          vocabulary_size: \(Int(request.vocabularySize))
          experts: \(Int(entry.experts))
          top_k: \(Int(entry.topK))
          granularity: \(Int(entry.granularity))
          feed_forward: \(feedForward(entry))
          tie_embeddings: false
          norm: layer
          norm_epsilon: 1.0e-5
          rope_base: 10000
          initialization_scale: 0.1
        """
    }

    private func summary(_ entry: PlanEntry) -> String {
        let model = entry.buildable
        var lines = [
            "\(shortCount(model.activeParameters)) active of \(shortCount(model.totalParameters)) parameters, "
                + "\(shortCount(model.tokens)) tokens, \(scientific(model.trainingFLOPs)) training FLOPs as the law's paper counts, "
                + "\(scientific(model.trainerFLOPs)) as the trainer does",
            "predicted loss \(decimals(model.loss, 4))"
                + (entry.interval.map {
                    ", four runs in five between \(decimals($0.lowerBound, 4)) and "
                        + decimals($0.upperBound, 4)
                } ?? ""),
        ]
        lines += (cautions + entry.warnings).map { "beware: " + $0 }
        return lines.map { "# " + $0 }.joined(separator: "\n")
    }

    /// Hidden size of the dense feed-forward over d: 3 in the joint study; 8/3 makes a SwiGLU of the 8·d² parameters that
    /// the fine-grained study counts, moved to the next size that G experts can share.
    private func feedForward(_ entry: PlanEntry) -> String {
        guard law.metadata.counting == .fineGrained else { return "3.0" }
        let hidden = (entry.buildable.dModel * 8 / 3 / entry.granularity).rounded() * entry.granularity
        return "\(hidden / entry.buildable.dModel)"
    }

    /// Micro-batches of some 8,192 tokens, whole sequences that divide the batch.
    private func batch(_ entry: PlanEntry) -> String {
        let stages = entry.batch.map { stage in
            stage.fromToken == 0
                ? "\(stage.tokens)" : "\(stage.tokens) from token \(Int(saturating: stage.fromToken)) on"
        }
        let ramp = stages.count > 1 ? "\n  # The recipe's ramp: \(stages.joined(separator: ", "))." : ""
        let (tokens, microBatch) = batchTokens(entry)
        return "batch:\(ramp)\n  tokens: \(tokens)\n  micro_batch_tokens: \(microBatch)"
    }

    /// Tokens of a step, the nearest to the recipe's that `microBatch` divides, and of a micro-batch.
    private func batchTokens(_ entry: PlanEntry) -> (tokens: Int, microBatch: Int) {
        let context = Int(request.context), microBatch = max(1, 8192 / context) * context
        return (max(1, ((entry.batch.last?.tokens ?? 65_536) + microBatch / 2) / microBatch) * microBatch, microBatch)
    }

    private func wholeTokens(_ entry: PlanEntry) -> Int {
        let batch = Double(batchTokens(entry).tokens)
        return Int(saturating: max(1, (entry.buildable.tokens / batch).rounded()) * batch)
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
