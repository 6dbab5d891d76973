package import Diagnostics

/// How long to train, and how often to look.
package struct TrainConfiguration: Sendable, Equatable {
    /// Where a run ends: after so many steps, or with the step that has seen so many tokens.
    package enum Goal: Sendable, Equatable { case steps(Int), tokens(Int) }

    package var goal: Goal
    /// Tokens after which the run also ends in branches of its own, each decaying as if the run ended there.
    package var branches: [Int]
    /// Steps between validations; 0: only before and after.
    package var validateEvery: Int
    /// Validate on at most this many tokens; 0: on all.
    package var validationTokens: Int

    package init(reading section: ConfigurationSection, largestBatch: Int) throws(Failure) {
        switch (section.contains("steps"), section.contains("tokens")) {
        case (true, true):
            throw section.failure(
                "tokens", "and `\(section.path(of: "steps"))` are both given",
                advice: "give one: the other follows from it")
        case (false, false):
            throw section.failure(
                "steps", "is missing, and so is `\(section.path(of: "tokens"))`", advice: "give one of them")
        case (true, false):
            let steps = try section.integer("steps", in: 1...1 << 40)
            guard steps <= Self.mostTokens / largestBatch else {
                throw section.failure(
                    "steps", "× batch.tokens = \(steps) × \(largestBatch) are more tokens than a run can count",
                    advice: "at most \(Self.mostTokens / largestBatch) steps of that batch are allowed")
            }
            goal = .steps(steps)
        case (false, true):
            goal = .tokens(try section.integer("tokens", in: 1...Self.mostTokens))
        }
        branches = try section.ascendingIntegers("branches", in: 1...Self.mostTokens)
        validateEvery = try section.integer("validate_every", default: 0)
        validationTokens = try section.integer("validation_tokens", default: 0)
    }

    static let mostTokens = 1 << 60
}
