import Configuration
import Diagnostics
import RunFormat

/// What one end of a row came to: a line of the study's table.
package struct StudyResult: Codable, Sendable, Equatable {
    package var row: String
    package var seed: UInt64
    package var tokens: Int
    /// Validation loss at the end, nats per token.
    package var loss: Double
    package var active: Int
    package var total: Int
    package var embedding: Int
    package var vocabularySize: Int
    package var context: Int
    /// Training FLOPs of a run that ends here.
    package var flops: Double
    /// Nil if layers differ.
    package var experts: Int?
    package var granularity: Int
    package var topK: Int
    package var learningRate: Double
    package var batchTokens: Int
    /// Of the configuration, and of the parameters at the end.
    package var fingerprint: String
    package var digest: String

    /// Reads the end of a run that is finished.
    /// - Parameters:
    ///   - row: of the study
    ///   - goal: the end
    ///   - directory: the row's run directory
    /// - Throws: `data` if the run has not come so far, or was not validated there
    init(_ row: StudyRow, endingAt goal: Int, in directory: RunDirectory) throws(Failure) {
        let isBranch = row.configuration.length.branches.contains(goal)
        let run = isBranch ? directory.branch(endingAt: goal) : directory
        let end = row.configuration.batch.end(ofRunTo: goal)
        guard let record = try JSONLinesSink.lastRecord(of: run.metrics) else {
            throw Failure(.data, "\(run.metrics) has no records", advice: "start the study again")
        }
        guard record.tokens == end, let loss = record.validationLoss else {
            throw Failure(
                .data, "\(run.metrics) ends after \(record.tokens) tokens, not with a validation after \(end)",
                advice: "start the study again: its run goes on")
        }
        guard loss.isFinite else {
            throw Failure(.diverged, "\(run.metrics): the validation loss is \(shortest(loss))")
        }
        let model = row.resolved.model
        guard let summary = RunSummary.read(run.summary) else {
            throw Failure(.data, "\(run.summary) is missing or not readable", advice: "start the study again")
        }
        (self.row, seed, tokens, self.loss) = (row.name, row.configuration.seed, end, loss)
        (active, total, embedding) = (summary.nActive, summary.nTotal, summary.nEmbedding)
        (vocabularySize, context, flops) = (model.vocabularySize, model.context, summary.flopsPerToken * Double(end))
        (experts, granularity, topK) = (model.experts.uniform, model.granularity, model.topK)
        (learningRate, batchTokens) = (row.resolved.peakLearningRate, row.configuration.batch.tokens)
        (fingerprint, digest) = (row.fingerprint, record.parameterDigest)
    }
}
