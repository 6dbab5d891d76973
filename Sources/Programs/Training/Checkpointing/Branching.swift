package import Checkpoints
import Configuration
package import Diagnostics

extension RunConfiguration {
    /// What a run that branches a decay off a constant-rate trunk must override: the schedule is constant up to the
    /// checkpoint and then decays linearly over `decayTokens`, which is where the run ends. The same rates, to the bit, as
    /// a run that was planned so from the start.
    ///
    /// Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations" (arXiv:2405.18392).
    /// - Throws: `configuration` if `decayTokens` is no whole number of steps
    package func branchOverrides(
        from record: CheckpointRecord, decayTokens: Int
    ) throws(Failure) -> [String] {
        guard optimizer.learningRate != .stepLaw else {
            throw Failure(
                .usage, "optimizer.learning_rate is `step-law`, which gives the branch another rate than its trunk's",
                advice: "give the trunk's rate as a number")
        }
        guard (1...1 << 59).contains(decayTokens) else {
            throw Failure(.usage, "--decay-tokens is \(decayTokens); allowed are 1 to \(1 << 59)")
        }
        let seen = try Consumed(of: record).tokens
        let steps = batch.steps(from: seen, to: seen + decayTokens)
        guard steps.tokens == decayTokens else {
            let last = steps[steps.count - 1].batch.tokens
            let surplus = steps.tokens - decayTokens
            let isAboveNearer = 2 * surplus <= last || steps.tokens == last
            throw Failure(
                .usage, "--decay-tokens \(decayTokens) is no whole number of steps of \(last) tokens",
                advice: "the nearest that is: \(steps.tokens - (isAboveNearer ? 0 : last))")
        }
        let length =
            switch length.goal {
            case .steps: "train.steps=\(record.step + steps.steps)"
            case .tokens: "train.tokens=\(seen + decayTokens)"
            }
        return ["schedule.kind=wsd", "schedule.decay_tokens=\(decayTokens)", length]
    }
}
