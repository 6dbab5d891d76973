#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a planned run finds its data.
package struct RunPlaces: Sendable {
    package var directory: String
    package var train: String
    package var tokenizer: String

    package init(directory: String, train: String, tokenizer: String) {
        self.directory = directory
        self.train = train
        self.tokenizer = tokenizer
    }
}

extension Plan {
    /// The YAML with which `switchyard train` trains the model of `entry` by the recipe of Ludziejewski et al. 2025.
    package func runConfiguration(_ entry: PlanEntry, in places: RunPlaces) -> String {
        """
        # Planned with the law `\(law.name)` (\(law.facts.source)).
        \(summary(entry))
        model:
          d_model: \(Int(entry.realised.dModel))
          layers: \(Int(entry.realised.layers))
          heads: \(Int(entry.realised.layers))
          context: \(context)
          vocabulary_size: \(Int(saturating: request.vocabularySize))
          experts: \(Int(entry.experts))
          top_k: \(Int(entry.topK))
          granularity: \(Int(entry.granularity))
          feed_forward: \(feedForward(entry))
          tie_embeddings: false
        routing:
          capacity_factor: 1.0
          load_balance_weight: 0.01
          z_loss_weight: 0.001
        \(batch(entry))
        train:
          tokens: \(wholeTokens(entry))
        \(optimisation(entry))
        seed: 1
        data:
          train: \(quoted(places.train))
          validation: hash 0.01
          tokenizer: \(quoted(places.tokenizer))
        run:
          directory: \(quoted(places.directory))

        """
    }

    private var context: Int { 512 }

    private func optimisation(_ entry: PlanEntry) -> String {
        """
        optimizer:
          learning_rate: \(Quantity.scientific(entry.learningRate))
          beta1: 0.9
          beta2: 0.999
          weight_decay: 0.1
          gradient_clip: 0.1
        schedule:
          kind: wsd
          warmup_tokens: \(warmupTokens(entry))
          decay_share: 0.2
          final_share: 0
        """
    }

    private func summary(_ entry: PlanEntry) -> String {
        let model = entry.realised
        var lines = [
            "\(Quantity.count(model.activeParameters)) active of \(Quantity.count(model.totalParameters)) parameters, "
                + "\(Quantity.count(model.tokens)) tokens, \(Quantity.scientific(model.trainingFLOPs)) training FLOPs",
            "predicted loss \(Quantity.decimals(model.loss, 4))"
                + (entry.interval.map {
                    ", four runs in five between \(Quantity.decimals($0.lowerBound, 4)) and "
                        + Quantity.decimals($0.upperBound, 4)
                } ?? ""),
        ]
        lines += entry.warnings.map { "beware: " + $0 }
        return lines.map { "# " + $0 }.joined(separator: "\n")
    }

    /// Hidden size of the dense feed-forward over d: 3 in the joint study; 8/3 makes a SwiGLU of the 8·d² parameters that
    /// the fine-grained study counts, moved to the next size that G experts can share.
    private func feedForward(_ entry: PlanEntry) -> String {
        guard law.facts.counting == .fineGrained else { return "3.0" }
        let hidden = (entry.realised.dModel * 8 / 3 / entry.granularity).rounded() * entry.granularity
        return "\(hidden / entry.realised.dModel)"
    }

    private func batch(_ entry: PlanEntry) -> String {
        let stages = entry.batch.map { stage in
            stage.fromToken == 0
                ? "\(stage.tokens)" : "\(stage.tokens) from token \(Int(saturating: stage.fromToken)) on"
        }
        return """
            batch:
              # The recipe's ramp: \(stages.joined(separator: ", ")).
              tokens: \(entry.batch.map(\.tokens).last ?? 65_536)
              lane_tokens: \(16 * context)
            """
    }

    private func wholeTokens(_ entry: PlanEntry) -> Int {
        let batch = Double(entry.batch.map(\.tokens).last ?? 65_536)
        return Int(saturating: max(1, (entry.realised.tokens / batch).rounded()) * batch)
    }

    /// 130M tokens in the paper; a tenth of a run that is too short for it.
    private func warmupTokens(_ entry: PlanEntry) -> Int { min(130_000_000, wholeTokens(entry) / 10) }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
