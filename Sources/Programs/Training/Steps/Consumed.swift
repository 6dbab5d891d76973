package import Checkpoints
package import Configuration
package import Diagnostics

/// The training data that a run has used so far. Schedule, records, data order and the end of training follow from it,
/// whatever size the batches had.
package struct Consumed: Sendable, Equatable {
    /// Predicted tokens trained on.
    package private(set) var tokens = 0
    /// Sequences drawn: the number of the next one.
    package private(set) var sequences = 0

    package init() {}

    /// What a checkpoint says. One of a version that stored no sequences counts steps of its own batch, as that version did.
    /// - Throws: `data` for numbers that no training reaches
    package init(of record: CheckpointRecord) throws(Failure) {
        (tokens, sequences) = (record.tokens, record.sequences ?? 0)
        if record.sequences == nil, record.step != 0 {
            let stored = try RunConfiguration(stored: record)
            let (product, isTooLarge) = record.step.multipliedReportingOverflow(by: stored.batch.tokens)
            (tokens, sequences) = (isTooLarge ? .max : product, product / stored.model.context)
        }
        let allowed = 0...1 << 60
        guard allowed.contains(tokens), allowed.contains(sequences) else {
            throw Failure(
                .data, "the checkpoint of step \(record.step) claims \(tokens) tokens and \(sequences) sequences",
                advice: "no training comes so far: use another checkpoint")
        }
    }

    /// The same tokens, where sequences get another length: as many as these tokens fill.
    package func recounted(context: Int) -> Consumed {
        var result = self
        result.sequences = (tokens + context - 1) / context
        return result
    }

    /// After one more step.
    package mutating func add(_ batch: StepBatch, context: Int) {
        tokens += batch.tokens
        sequences += batch.tokens / context
    }
}

/// Where a run ends.
package struct RunEnd: Sendable, Equatable {
    /// Optimizer steps of the whole run.
    package var steps: Int
    /// Tokens of the whole run, of which the schedule is a function.
    package var tokens: Int
}

extension RunConfiguration {
    /// The configuration that a checkpoint carries.
    package init(stored record: CheckpointRecord) throws(Failure) {
        let source = "stored configuration of step \(record.step)"
        try self.init(ConfigurationDocument(yaml: record.configuration, file: source, isStored: true))
    }
}

extension RunDescription {
    /// Where a run ends that has done `step` steps and `consumed` so much, when all steps to come are as `batch` says. The
    /// same at every step of a job.
    package func end(after step: Int, _ consumed: Consumed) -> RunEnd {
        let left = stepsLeft(after: step, consumed)
        return RunEnd(steps: step + left.steps, tokens: consumed.tokens + left.tokens)
    }

    /// Sequences of the whole run, drawn and to be drawn.
    package func sequences(after step: Int, _ consumed: Consumed) -> Int {
        consumed.sequences + stepsLeft(after: step, consumed).tokens / model.context
    }

    /// The steps that are left of a run.
    package func stepsLeft(after step: Int, _ consumed: Consumed) -> [EqualSteps] {
        switch length.goal {
        case .tokens(let goal): batch.steps(from: consumed.tokens, to: goal)
        case .steps(let steps): batch.steps(from: consumed.tokens, atMost: steps - step)
        }
    }
}
