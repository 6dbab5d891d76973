import Collectives
import Inference
import Parallelism

/// Validates a run's parameters and, once they differ from it, the average of them.
struct RunValidation {
    struct Result {
        var parameters: ValidationResult
        /// Nil if the run keeps no average.
        var average: ValidationResult?

        var description: String {
            "\(parameters)" + (average.map { "; with the average of the parameters \($0)" } ?? "")
        }
    }

    private let validation: Validation
    private let engine: Engine

    init(_ validation: Validation, on engine: Engine) { (self.validation, self.engine) = (validation, engine) }

    /// **Collective** over the world.
    /// - Returns: nil if a request to leave came meanwhile
    func run(_ state: TrainingState, unless requests: RunControl) throws(CommunicationError) -> Result? {
        guard let result = try validation.run(state.parameters, unless: requests) else { return nil }
        guard state.average != nil, state.updates > 0 else { return Result(parameters: result) }
        try state.exchangeAverage(on: engine)
        let average = try validation.run(state.parameters, unless: requests)
        try state.exchangeAverage(on: engine)
        return average.map { Result(parameters: result, average: $0) }
    }
}
