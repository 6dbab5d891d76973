package import Diagnostics

package enum ScheduleKind: String, CaseIterable, Sendable { case constant, cosine, wsd }

/// The learning rate as a share of its peak, a function of the tokens seen: linear warm-up, then constant, a cosine, or
/// constant with a linear decay at the end (warm-up–stable–decay; Hu et al., "MiniCPM", arXiv:2404.06395).
package struct LearningRateSchedule: Sendable, Equatable {
    package var kind: ScheduleKind
    package var warmupTokens: Int
    /// Last share of all tokens over which `wsd` decays, unless `decayTokens` says it.
    package var decayShare: Double
    /// Tokens over which `wsd` decays; 0: what `decayShare` gives.
    package var decayTokens: Int
    /// What is left of the peak at the end of `cosine` and `wsd`.
    package var finalShare: Double

    package init(
        kind: ScheduleKind, warmupTokens: Int, decayShare: Double = 0.2, decayTokens: Int = 0, finalShare: Double
    ) {
        self.kind = kind
        self.warmupTokens = warmupTokens
        self.decayShare = decayShare
        self.decayTokens = decayTokens
        self.finalShare = finalShare
    }

    package init(reading section: ConfigurationSection) throws(Failure) {
        kind = try section.choice("kind", default: .wsd)
        warmupTokens = try section.integer("warmup_tokens", default: 0)
        decayShare = try section.number("decay_share", default: 0.2, in: 0...1)
        decayTokens = try section.integer("decay_tokens", default: 0)
        finalShare = try section.number("final_share", default: kind == .cosine ? 0.1 : 0, in: 0...1)
    }

    /// The tokens over which `wsd` decays at the end of a run of `total`. Whole tokens, so that a decay branched off a constant
    /// trunk has the rates of one that was planned.
    package func decayLength(of total: Int) -> Int {
        decayTokens > 0 ? decayTokens : Int((Double(total) * decayShare).rounded())
    }
}
