import Diagnostics
import Platform
import Threading
import Tokenizers

/// The pre-tokens of all documents, counted on all threads. Their order depends on the threads; the merges that are learned from them
/// do not.
func countWords(of files: [TextFile], threads: Int, report: (String) -> Void) throws(Failure) -> WordList {
    let preTokenizer = PreTokenizer(.gpt2), pool = ThreadPool(count: threads)
    let reader = OneTask(
        TextBlocks(
            files, files.indices, cuttingAt: { text in preTokenizer.lastCut(in: text) { _ in false } }, encoder: nil))
    let counts = (0..<threads).map { _ in OneTask(WordCounts()) }
    var progress = Progress("counting words of", files), bytes = 0, documents = 0
    // What is doubtful is reported when the texts become tokens.
    try requireReaders(for: files) { _ in }
    let most = 8 * threads
    var current = try reader.value.next(most)
    while !current.isEmpty {
        let blocks = current
        let next = OneTask(Result<[TextBlock], Failure>.success([]))
        pool.run(blocks.count + 1) { worker, task in
            guard task > 0 else { return next.value = reader.value.result(most) }
            counts[worker].value.add(blocks[task - 1], preTokenizer)
        }
        bytes += blocks.reduce(0) { $0 + $1.text.count }
        documents += blocks.reduce(0) { $0 + $1.parts.count { $0.endsDocument } }
        progress.show(blocks[blocks.count - 1].end.position, documents: documents, report)
        try SignalRequests.throwIfStopRequested(during: "counting words")
        current = try next.value.get()
    }
    try requireText(bytes, in: files)
    for other in counts.dropFirst() { counts[0].value.add(other.value) }
    return counts[0].value.words
}

/// How often each word occurs.
private struct WordCounts {
    private var table = ByteStringTable()
    private var frequencies: [Int] = []

    mutating func add(_ block: TextBlock, _ preTokenizer: PreTokenizer) {
        var position = 0
        for part in block.parts {
            let text = block.text.span.extracting(..<part.end)
            while position < text.count, let end = preTokenizer.end(of: text, from: position, isWhole: true) {
                count(text, position..<end, 1)
                position = end
            }
        }
    }

    mutating func add(_ other: WordCounts) {
        for (index, frequency) in other.frequencies.enumerated() {
            let word = other.table.string(index)
            count(word.span, word.indices, frequency)
        }
    }

    private mutating func count(_ text: Span<UInt8>, _ range: Range<Int>, _ times: Int) {
        let index = table.index(of: text, range)
        if index == frequencies.count { frequencies.append(0) }
        frequencies[index] += times
    }

    var words: WordList {
        let tokenOfByte = PrintableBytes().tokenOfByte
        var words = WordList()
        for (index, frequency) in frequencies.enumerated() {
            words.append(table.string(index).map { tokenOfByte[Int($0)] }, frequency: frequency)
        }
        return words
    }
}
