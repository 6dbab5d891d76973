package import Configuration
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
    /// The configuration with which `switchyard train` trains the model of `entry` by the recipe of the law's study.
    ///
    /// - Throws: a `Failure` if the trainer cannot train that model
    package func runConfiguration(_ entry: PlanEntry, in places: RunPaths) throws(Failure) -> WrittenConfiguration {
        try refuseWhatCannotBeTrained(entry)
        var written = WrittenConfiguration(
            heading: ["Planned with the law `\(law.name)` (\(law.metadata.source))."] + summary(entry))
        written.add(
            "", ["seed": 1, "precision": .word(places.hasBFloat16 ? "bfloat16" : "float32")],
            comments: places.hasBFloat16
                ? [:] : ["precision": "The recipe's bfloat16 needs a build with oneDNN and a CPU with AVX-512."])
        written.add("model", model(entry))
        addRecipe(of: entry, to: &written)
        written.add("checkpoint", ["every_minutes": 30])
        written.add(
            "data",
            [
                "train": .text(places.train), "validation": .text(places.validation),
                "tokenizer": .text(places.tokenizer),
            ])
        written.add("run", ["directory": .text(places.directory)])
        _ = try written.read(as: "the planned configuration")
        return written
    }

    private func addRecipe(of entry: PlanEntry, to written: inout WrittenConfiguration) {
        let tokens = wholeTokens(entry)
        written.add(
            "routing",
            [
                "capacity_factor": 1.0, "evaluation_capacity_factor": .word("dropless"), "load_balance_weight": 0.01,
                "z_loss_weight": 0.001, "normalize_gates": false,
            ])
        written.add("batch", batch(entry))
        written.add(
            "train",
            [
                "tokens": .integer(tokens),
                "validation_tokens": .integer(max(Int(request.context), min(67_108_864, tokens / 20))),
            ],
            comments: ["validation_tokens": "The recipe's 67M tokens, or a twentieth of a shorter run."])
        written.add(
            "optimizer",
            [
                // Three digits are what the rule is worth.
                "learning_rate": .number(Double(scientific(entry.learningRate)) ?? entry.learningRate), "beta1": 0.9,
                "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1, "gradient_clip": 0.1,
            ])
        written.add("schedule", TrainingRecipe(law.metadata.counting).schedule(tokens: tokens))
    }

    private func refuseWhatCannotBeTrained(_ entry: PlanEntry) throws(Failure) {
        guard entry.experts <= 65_536 else {
            throw Failure(
                .usage, "the trainer takes at most 65,536 as --experts, not \(Int(entry.experts))",
                advice: "leave --write-config out, or plan with less")
        }
    }

    private func model(_ entry: PlanEntry) -> KeyValuePairs<String, WrittenConfiguration.Value> {
        [
            "d_model": .integer(Int(entry.buildable.dModel)), "layers": .integer(Int(entry.buildable.layers)),
            "heads": .integer(Int(entry.buildable.layers)), "context": .integer(Int(request.context)),
            "vocabulary_size": .integer(Int(request.vocabularySize)), "experts": .integer(Int(entry.experts)),
            "top_k": .integer(Int(entry.topK)), "granularity": .integer(Int(entry.granularity)),
            "feed_forward": .number(feedForward(entry)), "tie_embeddings": false, "norm": .word("layer"),
            "norm_epsilon": 1e-5, "rope_base": 10_000, "initialization_scale": 0.1,
        ]
    }

    /// What the file says of the plan.
    private func summary(_ entry: PlanEntry) -> [String] {
        let model = entry.buildable
        let interval = entry.interval.map {
            ", four runs in five between \(decimals($0.lowerBound, 4)) and " + decimals($0.upperBound, 4)
        }
        return [
            "\(shortCount(model.activeParameters)) active of \(shortCount(model.totalParameters)) parameters, "
                + "\(shortCount(model.tokens)) tokens, \(scientific(model.trainingFLOPs)) training FLOPs as the law's paper counts, "
                + "\(scientific(model.trainerFLOPs)) as the trainer does",
            "predicted loss \(decimals(model.loss, 4))" + (interval ?? ""),
        ] + (cautions + entry.warnings + [entry.learningRateCaution].compactMap(\.self)).map { "beware: " + $0 }
    }

    /// Hidden size of the dense feed-forward over d: 3 in the joint study; 8/3 makes a SwiGLU of the 8·d² parameters that
    /// the fine-grained study counts, moved to the next size that G experts can share.
    private func feedForward(_ entry: PlanEntry) -> Double {
        guard law.metadata.counting == .fineGrained else { return 3 }
        let hidden = (entry.buildable.dModel * 8 / 3 / entry.granularity).rounded() * entry.granularity
        return hidden / entry.buildable.dModel
    }

    /// The recipe's steps as far as the run gets, in micro-batches of some 8,192 tokens.
    private func batch(_ entry: PlanEntry) -> KeyValuePairs<String, WrittenConfiguration.Value> {
        let ramp = zip(entry.batch, entry.batch.dropFirst()).map { stage, next in
            "{tokens: \(wholeStep(stage)), until: \(Int(saturating: next.fromToken))}"
        }
        let last = WrittenConfiguration.Value.integer(entry.batch.last.map(wholeStep) ?? microBatch)
        let parts = WrittenConfiguration.Value.integer(microBatch)
        guard !ramp.isEmpty else { return ["tokens": last, "micro_batch_tokens": parts] }
        return ["ramp": .word("[\(ramp.joined(separator: ", "))]"), "tokens": last, "micro_batch_tokens": parts]
    }

    /// Tokens of a micro-batch: some 8,192, in whole sequences.
    private var microBatch: Int { max(1, 8192 / Int(request.context)) * Int(request.context) }

    /// The step nearest to the recipe's that micro-batches divide.
    private func wholeStep(_ stage: BatchStage) -> Int {
        max(1, (stage.tokens + microBatch / 2) / microBatch) * microBatch
    }

    private func wholeTokens(_ entry: PlanEntry) -> Int {
        let batch = Double(entry.batch.last.map(wholeStep) ?? microBatch)
        return Int(saturating: max(1, (entry.buildable.tokens / batch).rounded()) * batch)
    }
}
