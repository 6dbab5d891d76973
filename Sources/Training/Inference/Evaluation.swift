package import Collectives
import Corpora
import Diagnostics
import Layers

extension StoredModel {
    /// Loss over all whole windows of some texts or of a token file. **Collective** over `world`.
    /// - Parameters:
    ///   - paths: texts, directories of them, or one token file of this model's tokenizer
    ///   - directory: where the token file of texts is made
    ///   - report: takes lines of progress, on rank 0
    package func evaluate(
        _ paths: [String], in directory: String, on world: any Communicator, report: (String) -> Void
    ) throws -> ValidationResult {
        let agreement = Agreement(ranks: world)
        try agreement.settle { () throws(Failure) in
            guard world.rank == 0 else { return }
            try Corpus.prepareEvaluation(of: paths, tokenizer: tokenizer, directory: directory, report: report)
        }
        let dataset = try agreement.settle { () throws(Failure) in
            try Corpus.openEvaluation(of: paths, tokenizer: tokenizer, directory: directory)
        }
        let windows = try EvaluationWindows(dataset, context: configuration.model.context)
        return try Validation(engine, windows, laneTokens: configuration.batch.laneTokens, tokens: 0).run(parameters)
    }
}
