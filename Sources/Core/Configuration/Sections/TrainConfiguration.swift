package import Diagnostics

/// How long to train, and how often to look.
package struct TrainConfiguration: Sendable, Equatable {
    /// Of a run whose batch never changes.
    package var steps: Int
    /// `train.tokens`; nil if the length is given as `train.steps`.
    package var tokens: Int?
    /// Steps between validations; 0: only before and after.
    package var validateEvery: Int
    /// Validate on at most this many tokens; 0: on all.
    package var validationTokens: Int

    package init(reading section: ConfigurationSection, batchTokens: Int) throws(Failure) {
        switch (section.contains("steps"), section.contains("tokens")) {
        case (true, true):
            throw section.failure(
                "tokens", "and `\(section.path(of: "steps"))` are both given",
                advice: "give one: the other follows from it")
        case (false, false):
            throw section.failure(
                "steps", "is missing, and so is `\(section.path(of: "tokens"))`", advice: "give one of them")
        case (true, false):
            steps = try section.integer("steps", in: 1...1 << 40)
        case (false, true):
            let tokens = try section.integer("tokens", in: 1...1 << 60)
            self.tokens = tokens
            steps = (tokens + batchTokens - 1) / batchTokens
        }
        guard !steps.multipliedReportingOverflow(by: batchTokens).overflow, steps * batchTokens <= 1 << 60 else {
            throw section.failure(
                "steps", "× batch.tokens = \(steps) × \(batchTokens) are more tokens than a run can count",
                advice: "at most \(1 << 60 / batchTokens) steps of that batch are allowed")
        }
        validateEvery = try section.integer("validate_every", default: 0)
        validationTokens = try section.integer("validation_tokens", default: 0)
    }
}
