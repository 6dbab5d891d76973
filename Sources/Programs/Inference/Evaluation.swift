package import Collectives
import Configuration
import Data
import Diagnostics
package import Parallelism
import Platform

extension StoredModel {
    /// Loss over all whole windows of some texts or of a token file. **Collective** over `world`.
    /// - Parameters:
    ///   - paths: texts, directories of them, or one token file of this model's tokenizer
    ///   - textField: the field that holds the texts; nil: as `data.text_field: auto`
    ///   - directory: where the token file of texts is made
    ///   - requests: asked before every round
    ///   - report: takes lines of progress, on rank 0
    /// - Throws: `temporaryFailure` if somebody asked to leave
    package func evaluate(
        _ paths: [String], textField: String? = nil, in directory: String, on world: any Communicator,
        unless requests: RunControl,
        report: @escaping (String) -> Void
    ) throws -> ValidationResult {
        let agreement = Agreement(ranks: world)
        let processors = try processorsOfHost(on: world)
        try longWorkOnRankZero(of: world) { [tokenizer] () throws(Failure) in
            if world.size > 1 { Processors.use(processors) }
            try Corpus.prepareEvaluation(
                of: paths, textField: textField, tokenizer: tokenizer, directory: directory, report: report)
        }
        let dataset = try agreement.onAllRanks { () throws(Failure) in
            try Corpus.openEvaluation(of: paths, tokenizer: tokenizer, directory: directory)
        }
        let windows = try EvaluationWindows([dataset], context: configuration.model.context)
        let validation = Validation(
            engine, windows, microBatchTokens: configuration.batch.microBatchTokens, tokens: 0,
            masksDocuments: configuration.data.documentMask)
        guard let result = try validation.run(parameters, unless: requests) else {
            throw Failure.stopped("during the evaluation")
        }
        return result
    }
}
