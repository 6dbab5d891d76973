package import Configuration
import Platform

extension LearningRateSchedule {
    /// - Parameters:
    ///   - tokens: seen when the update ends, so that the first update is not lost to a rate of zero
    ///   - total: of the whole run
    package func multiplier(after tokens: Int, of total: Int) -> Double {
        let warm = warmupTokens > 0 ? min(1, Double(tokens) / Double(warmupTokens)) : 1
        switch kind {
        case .constant:
            return warm
        case .cosine:
            let progress = fraction(tokens, from: Double(warmupTokens), to: Double(total))
            return warm * (finalShare + (1 - finalShare) * 0.5 * (1 + cos(Double.pi * progress)))
        case .wsd:
            let progress = fraction(tokens, from: Double(total - decayLength(of: total)), to: Double(total))
            return warm * (1 - (1 - finalShare) * progress)
        }
    }

    private func fraction(_ tokens: Int, from start: Double, to end: Double) -> Double {
        // Without a phase to come down in, the rate stays.
        guard end > start else { return 0 }
        return min(1, max(0, (Double(tokens) - start) / (end - start)))
    }
}
