package import Diagnostics
import Platform
import Threading
package import Tokenizers

/// Learns a byte-pair tokenizer of `vocabularySize` entries (bytes, merges and end of text) from `files`.
/// - Throws: `data` if the files have too few pairs that occur twice, naming the largest vocabulary they allow
package func trainBytePairs(
    on files: [TextFile], vocabularySize: Int, threads: Int = Processors.count, report: (String) -> Void
) throws(Failure) -> BytePairTokenizer {
    var training = BytePairTraining(try countWords(of: files, threads: threads, report: report))
    let wanted = vocabularySize - 257
    var shown = ContinuousClock.now
    while training.merges.count < wanted {
        guard training.learn() != nil else {
            throw Failure(
                .data,
                "the corpus is too small for `bpe \(vocabularySize)`: only \(training.merges.count) merges occur twice, "
                    + "\(wanted) are needed",
                advice: "ask for `bpe \(training.merges.count + 257)` or less, or add text")
        }
        try SignalRequests.throwIfStopRequested(during: "learning merges")
        if ContinuousClock.now - shown > .seconds(2) {
            shown = .now
            report("learning merges: \(training.merges.count) of \(wanted)")
        }
    }
    return try BytePairTokenizer(training.merges)
}
