package import Diagnostics

/// What of a run is not configuration.
package struct TrainingOptions {
    /// What a run without checkpoints of its own begins with.
    package enum Start: Sendable {
        case random
        /// The parameters of a checkpoint, nothing else.
        case weights(String)
        /// The whole state of a checkpoint of another run.
        case branch(String)

        package var checkpoint: String? {
            switch self {
            case .random: nil
            case .weights(let path), .branch(let path): path
            }
        }
    }

    package var start = Start.random
    /// Where the tokenized texts lie; nil: in the run directory.
    package var dataDirectory: String?
    /// Keys that may differ from those of the checkpoint that training goes on from.
    package var allowedChanges: Set<String> = []
    /// Whether a damaged newest checkpoint ends the job instead of being passed over.
    package var requireNewest = false
    /// Name to version of the libraries, for the checkpoints' record.
    package var versions: [String: String] = [:]
    /// Ends this process when it was asked to leave and the other ranks do not come to agree; nil: it waits. Called by
    /// another thread.
    package var abort: (@Sendable (Failure) -> Void)?
    /// Records what some steps are made of; its tracer is that of the setup.
    package var trace: StepTrace?
    /// Rounds of the GEMM peak's measurement, half a second in all; tests, whose steps take milliseconds, ask for fewer.
    package var peakRounds = 8
    /// Sees every finished step and the state after it, on every rank: for tests.
    package var observe: (StepOutcome, TrainingState) throws -> Void = { _, _ in }

    package init() {}
}
