import Configuration
import Data
import Diagnostics

/// The sequences that a run takes from its corpus: `train` and `train --check` both make them before anything is computed.
struct CorpusWindows {
    let training: Mixture
    let validation: EvaluationWindows?

    /// - Parameter origin: what the run goes on from
    /// - Throws: `data` if training or validation part is too small for the context, or a source for its part of the run
    init(_ corpus: Corpus, _ configuration: ResolvedConfiguration, after origin: Origin?) throws(Failure) {
        let context = configuration.model.context
        training = try Mixture(
            corpus.train, of: configuration.data.train, context: context, seed: configuration.seed)
        validation = corpus.validation.isEmpty ? nil : try EvaluationWindows(corpus.validation, context: context)
        let consumed = origin?.consumed ?? Consumed()
        try training.requireEnough(for: configuration.sequences(after: origin?.step ?? 0, consumed))
    }
}
