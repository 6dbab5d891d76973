/// What one optimizer step sees.
package struct StepBatch: Sendable, Equatable {
    /// Predicted tokens.
    package let tokens: Int
    /// Micro-batches, over all ranks.
    package let microBatches: Int

    /// Accumulation steps that it takes on `ranks` ranks.
    package func accumulationSteps(ranks: Int) -> Int { (microBatches + ranks - 1) / ranks }
}

/// Consecutive steps of one size.
package struct EqualSteps: Sendable, Equatable {
    package let count: Int
    package let batch: StepBatch

    package var tokens: Int { count * batch.tokens }
}

/// How large which step is: a function of the tokens seen before it alone, so that resumed, branched and replayed runs agree.
extension BatchConfiguration {
    /// Beyond the tokens of any run.
    private static let forever = 1 << 61

    /// The ramp and what follows it.
    package var stages: [Stage] { ramp + [Stage(tokens: tokens, until: Self.forever)] }

    /// The step that begins after `seen` tokens.
    package func step(after seen: Int) -> StepBatch { step(of: ramp.first { seen < $0.until }?.tokens ?? tokens) }

    /// The largest step of all stages, whether or not a run comes to it.
    package var largestStep: StepBatch { step(of: stages.map(\.tokens).max() ?? tokens) }

    /// A step of `tokens` tokens.
    package func step(of tokens: Int) -> StepBatch {
        StepBatch(tokens: tokens, microBatches: tokens / microBatchTokens)
    }

    /// The tokens that a run has seen after the step with which it has seen at least `goal`.
    package func end(ofRunTo goal: Int) -> Int { steps(from: 0, to: goal).tokens }

    /// The steps from `seen` tokens on until at least `goal` have been seen, or `most` steps have been done.
    package func steps(from seen: Int, to goal: Int = forever, atMost most: Int = .max) -> [EqualSteps] {
        var (tokens, left) = (seen, most), all: [EqualSteps] = []
        for stage in stages where left > 0 && tokens < min(stage.until, goal) {
            let missing = min(stage.until, goal) - tokens
            let steps = EqualSteps(
                count: min(left, (missing + stage.tokens - 1) / stage.tokens), batch: step(of: stage.tokens))
            all.append(steps)
            left -= steps.count
            tokens += steps.tokens
        }
        return all
    }
}

extension [EqualSteps] {
    package var steps: Int { reduce(0) { $0 + $1.count } }
    package var tokens: Int { reduce(0) { $0 + $1.tokens } }
}
