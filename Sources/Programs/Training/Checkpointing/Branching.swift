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
        guard (1...1 << 59).contains(decayTokens) else {
            throw Failure(.usage, "--decay-tokens is \(decayTokens); allowed are 1 to \(1 << 59)")
        }
        guard decayTokens % batch.tokens == 0 else {
            throw Failure(
                .usage, "--decay-tokens \(decayTokens) is no whole number of steps of \(batch.tokens) tokens",
                advice: "the nearest that is: \(max(1, (decayTokens + batch.tokens / 2) / batch.tokens) * batch.tokens)"
            )
        }
        let length =
            length.tokens == nil
            ? "train.steps=\(record.step + decayTokens / batch.tokens)"
            : "train.tokens=\(try Consumed(of: record).tokens + decayTokens)"
        return ["schedule.kind=wsd", "schedule.decay_tokens=\(decayTokens)", length]
    }
}
