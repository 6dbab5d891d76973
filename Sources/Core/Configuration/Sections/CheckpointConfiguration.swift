package import Diagnostics

/// When state is saved and how much of it stays.
package struct CheckpointConfiguration: Sendable, Equatable {
    /// Steps, tokens and minutes between checkpoints, whichever comes first; 0: not by this measure. There is always one
    /// at the end. Without steps and tokens, minutes have a default.
    package var everySteps: Int
    package var everyTokens: Int
    package var everyMinutes: Double
    /// Tokens of the run with which checkpoints are saved that stay for good.
    package var atTokens: [Int]
    /// Newest checkpoints that stay.
    package var keep: Int
    /// Besides those, checkpoints whose step is a multiple of this stay for good; 0: none.
    package var keepEvery: Int
    /// Whether the checkpoint with the lowest validation loss stays, too.
    package var keepBest: Bool
    /// Files a checkpoint is cut into; nil: the writer chooses.
    package var shards: Int?
    /// Whether training goes on while a checkpoint is written. Off unless asked for: a job that dies meanwhile has lost more
    /// than one interval.
    package var overlap: Bool

    /// Minutes between checkpoints of a run whose configuration names no cadence.
    package static let defaultMinutes = 30.0

    package init(reading section: ConfigurationSection) throws(Failure) {
        everySteps = try section.integer("every_steps", default: 0)
        everyTokens = try section.integer("every_tokens", default: 0)
        let hasOtherCadence = everySteps > 0 || everyTokens > 0
        everyMinutes = try section.number("every_minutes", default: hasOtherCadence ? 0 : Self.defaultMinutes)
        atTokens = try section.ascendingIntegers("at_tokens", in: 1...TrainConfiguration.mostTokens)
        keep = try section.integer("keep", default: 2, in: 1...1_000_000)
        keepEvery = try section.integer("keep_every", default: 0)
        keepBest = try section.boolean("keep_best", default: true)
        shards = try section.integerOrAuto("shards", in: 1...1 << 20)
        overlap = try section.boolean("overlap", default: false)
    }

    /// Whether a job of `ranks` ranks writes while it trains: asked to, with checkpoints on the way, and with a file for
    /// each rank, because files that ranks share are written through MPI, which only the training thread may call.
    package func overlaps(ranks: Int) -> Bool {
        overlap && (everySteps > 0 || everyTokens > 0 || everyMinutes > 0) && (shards ?? ranks) >= ranks
    }
}
