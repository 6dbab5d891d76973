package import Diagnostics
import Platform
import Threading
package import Tokenizers

/// Learns a byte-pair tokenizer of `vocabularySize` entries (bytes, merges and end of text) from `files`.
/// - Throws: `data` if the files have too few pairs that occur twice, naming the largest vocabulary they allow
package func trainBytePairs(
    on files: [TextFile], vocabularySize: Int, report: (String) -> Void
) throws(Failure) -> BytePairTokenizer {
    var training = BytePairTraining(try countWords(of: files, report: report))
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

/// The pre-tokens of all documents, in the order of their first appearance.
private func countWords(of files: [TextFile], report: (String) -> Void) throws(Failure) -> WordList {
    let preTokenizer = PreTokenizer(.gpt2)
    var table = ByteStringTable()
    var frequencies: [Int] = []
    var progress = Progress("counting words of", files)
    var bytes = 0
    // What is doubtful is reported when the texts become tokens.
    try requireReaders(for: files) { _ in }
    for file in files {
        try file.forEachPiece { (text: Span<UInt8>, isEnd: Bool, stored: Int) throws(Failure) in
            var position = 0
            while position < text.count, let end = preTokenizer.end(of: text, from: position, isWhole: isEnd) {
                let index = table.index(of: text, position..<end)
                if index == frequencies.count { frequencies.append(0) }
                frequencies[index] += 1
                position = end
            }
            bytes += position
            try progress.show(stored, report)
            return position
        }
        progress.finish(file)
    }
    try requireText(bytes, in: files)
    let tokenOfByte = PrintableBytes().tokenOfByte
    var words = WordList()
    for (index, frequency) in frequencies.enumerated() {
        words.append(table.string(index).map { tokenOfByte[Int($0)] }, frequency: frequency)
    }
    return words
}
