import Configuration
import Data
import Diagnostics
import Tokenizers

/// The sequences that a run takes from its corpus: `train` and `train --check` both make them before anything is computed.
struct CorpusWindows {
    let training: Mixture
    let validation: EvaluationWindows?

    /// - Parameter origin: what the run goes on from
    /// - Throws: `data` if training or validation part is too small for the context, a source for its part of the run, or if documents
    ///   are to be masked and there is one only
    init(_ corpus: Corpus, _ configuration: ResolvedConfiguration, after origin: Origin?) throws(Failure) {
        let context = configuration.model.context
        if configuration.data.documentMask { try corpus.requireBorders() }
        training = try Mixture(
            corpus.train, of: configuration.data.train, context: context, seed: configuration.seed)
        validation = corpus.validation.isEmpty ? nil : try EvaluationWindows(corpus.validation, context: context)
        let consumed = origin?.consumed ?? Consumed()
        try training.requireEnough(for: configuration.sequences(after: origin?.step ?? 0, consumed))
    }
}

extension Corpus {
    /// Documents of the files that training text comes from, the held-out ones of a split included.
    var documentCount: Int { train.reduce(0) { $0 + $1.file.documentCount } }

    /// - Throws: `data` if no document ends where another begins
    fileprivate func requireBorders() throws(Failure) {
        guard train.allSatisfy({ $0.file.documentCount < 2 }) else { return }
        let paths = train.map(\.file.path).joined(separator: ", "), end = tokenizer.endOfText
        throw Failure(
            .data, "data.document_mask has no effect: \(paths) holds one document, without a border",
            advice: "leave it false. A document is a file, a line of JSON lines or a row of Parquet; in files of other "
                + "trainers it ends where they say so or with token \(end), which data.document_token can change")
    }
}
