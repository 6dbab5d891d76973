package import Diagnostics
package import Settings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

package enum ScheduleKind: String, CaseIterable, Sendable { case constant, cosine, wsd }

/// The learning rate as a share of its peak, a function of the tokens seen: linear warm-up, then constant, a cosine, or
/// constant with a linear decay at the end (warm-up–stable–decay; Hu et al., "MiniCPM", arXiv:2404.06395).
package struct Schedule: Sendable, Equatable {
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

    package init(reading section: SettingsSection) throws(Failure) {
        kind = try section.choice("kind", default: .wsd)
        warmupTokens = try section.integer("warmup_tokens", default: 0)
        decayShare = try section.number("decay_share", default: 0.2, in: 0...1)
        decayTokens = try section.integer("decay_tokens", default: 0)
        finalShare = try section.number("final_share", default: kind == .cosine ? 0.1 : 0, in: 0...1)
    }

    /// - Parameters:
    ///   - tokens: seen when the update ends, so that the first update is not lost to a rate of zero
    ///   - total: of the whole run
    package func share(after tokens: Int, of total: Int) -> Double {
        let warm = warmupTokens > 0 ? min(1, Double(tokens) / Double(warmupTokens)) : 1
        switch kind {
        case .constant:
            return warm
        case .cosine:
            let progress = fraction(tokens, from: Double(warmupTokens), to: Double(total))
            return warm * (finalShare + (1 - finalShare) * 0.5 * (1 + cos(Double.pi * progress)))
        case .wsd:
            // Whole tokens, so that a decay branched off a constant trunk has the rates of one that was planned.
            let length = decayTokens > 0 ? decayTokens : Int((Double(total) * decayShare).rounded())
            let progress = fraction(tokens, from: Double(total - length), to: Double(total))
            return warm * (1 - (1 - finalShare) * progress)
        }
    }

    private func fraction(_ tokens: Int, from start: Double, to end: Double) -> Double {
        // Without a phase to come down in, the rate stays.
        guard end > start else { return 0 }
        return min(1, max(0, (Double(tokens) - start) / (end - start)))
    }
}
