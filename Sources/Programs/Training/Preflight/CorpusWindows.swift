import Configuration
import Data
import Diagnostics

/// The sequences that a run takes from its corpus: `train` and `train --check` both make them before anything is computed.
struct CorpusWindows {
    let training: TrainingWindows
    let validation: EvaluationWindows?

    /// - Throws: `data` if training or validation part is too small for the context
    init(_ corpus: Corpus, _ configuration: ResolvedConfiguration) throws(Failure) {
        let context = configuration.model.context
        training = try TrainingWindows(corpus.train, context: context, seed: configuration.seed)
        validation = try corpus.validation.map { part throws(Failure) in
            try EvaluationWindows(part, context: context)
        }
    }
}
