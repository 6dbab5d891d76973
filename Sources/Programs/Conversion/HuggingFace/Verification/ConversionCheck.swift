import Checkpoints
package import Collectives
import Configuration
package import Diagnostics
import Kernels
import Model
import Parallelism
import RunFormat
package import Tensors

/// Whether a Hugging Face directory and a checkpoint are the same model, found from the files alone.
package struct ConversionCheck: Sendable {
    /// Tensors of the checkpoint whose digest the directory's numbers give.
    package private(set) var tensors = 0
    package private(set) var tokens = 0
    /// Between the two models' logits.
    package private(set) var largestDifference: Float = 0
    package private(set) var largestLogit: Float = 0
    /// By how much the choice of an expert was decided at the closest call; infinite where there is none.
    package private(set) var closestCall = Float.infinity

    /// Of `largestLogit`, or of 1 if that is less.
    private static let tolerance: Float = 1e-4
    /// A choice decided by less may fall to another expert by rounding.
    private static let closeCall: Float = 1e-5
    /// Columns of logits computed at a time.
    private static let piece = 4096

    /// Puts the checkpoint's tensors together again from the directory and compares their digests with the manifest's,
    /// then runs both models on `tokens`.
    /// - Parameter record: takes our logits, if given: columns from the first of each piece on
    /// - Throws: `data` naming the tensor that differs, or the difference of logits
    package init(
        _ directory: String, is source: SourceCheckpoint, tokens: SampleTokens, on world: any Communicator,
        recording record: ((Tensor, Int) -> Void)? = nil
    ) throws(Failure) {
        let model = try ImportedModel(directory)
        try compareSettings(model, source)
        try compareDigests(model, source)
        try compareLogits(model, source, tokens, on: world, record: record)
        try source.reader.close()
        guard !isLarge || closestCall < Self.closeCall else {
            throw Failure(
                .data, "\(directory): logits differ by \(largestDifference) from those of \(source.reader.directory)")
        }
    }

    /// Whether the logits differ by more than rounding explains, unless it sent a token to another expert: a check that is
    /// complete says so only where an expert was chosen by that little.
    package var isLarge: Bool { !(largestDifference <= Self.tolerance * max(1, largestLogit)) }

    private func compareSettings(_ model: ImportedModel, _ source: SourceCheckpoint) throws(Failure) {
        let ours = source.configuration.model, theirs = model.configuration.model
        let isSame =
            (ours.dModel, ours.layers, ours.vocabularySize, ours.expertsPerToken)
            == (theirs.dModel, theirs.layers, theirs.vocabularySize, theirs.expertsPerToken)
            && ours.attention == theirs.attention && (ours.shared, ours.dense) == (theirs.shared, theirs.dense)
            && ours.expertCounts == theirs.expertCounts
            && ours.tieEmbeddings == theirs.tieEmbeddings
            && ours.context <= theirs.context && ours.normEpsilon == theirs.normEpsilon
            && ours.rotary == theirs.rotary && ours.expertHiddenSize == theirs.expertHiddenSize
            && (theirs.isDense
                || source.configuration.routing.normalizeGates == model.configuration.normalizesGates)
        guard isSame else {
            throw Failure(.data, "\(model.directory): config.json does not say what \(source.reader.directory) is")
        }
    }

    private mutating func compareDigests(_ model: ImportedModel, _ source: SourceCheckpoint) throws(Failure) {
        for entry in model.parameters where model.holds(entry) {
            let stored = try source.reader.tensor("parameters/\(entry.name)"), digest = TensorDigest(name: stored.name)
            var sum: UInt64 = 0
            for index in 0..<entry.matrixCount {
                let rowsAtATime = max(1, (1 << 22) / entry.columns)
                for start in stride(from: 0, to: entry.rows, by: rowsAtATime) {
                    let rows = start..<min(start + rowsAtATime, entry.rows)
                    let values = try model.read(entry, matrix: index, rows: rows)
                    sum &+= digest.part(values.span, at: (index * entry.rows + start) * entry.columns)
                }
            }
            guard sum == stored.digest else {
                throw Failure(.data, "\(model.directory): what makes up \(entry.name) is not what the checkpoint holds")
            }
            tensors += 1
        }
    }

    private mutating func compareLogits(
        _ model: ImportedModel, _ source: SourceCheckpoint, _ tokens: SampleTokens, on world: any Communicator,
        record: ((Tensor, Int) -> Void)?
    ) throws(Failure) {
        self.tokens = tokens.count
        let ours = try LayerwiseForward(source, tokens, on: world), theirs = ReferenceForward(model, tokens)
        let (mine, other) = (try ours.hidden(), try theirs.hidden())
        closestCall = theirs.closestCall
        let vocabulary = source.configuration.model.vocabularySize
        for start in stride(from: 0, to: vocabulary, by: Self.piece) {
            let part = start..<min(start + Self.piece, vocabulary)
            let (a, b) = (try ours.logits(mine, part), try theirs.logits(other, part))
            let (left, right) = (a.span, b.span)
            for i in left.indices {
                let difference = abs(left[i] - right[i])
                // NaN is larger than any bound.
                if !(difference <= largestDifference) { largestDifference = difference.isNaN ? .infinity : difference }
                largestLogit = max(largestLogit, abs(left[i]))
            }
            record?(a, start)
        }
    }
}
