import Diagnostics
import Platform
import Threading
import Tokenizers

/// How much a tokenization read and wrote.
package struct TokenizationSummary: Sendable, Equatable {
    package var documents = 0
    /// Of text.
    package var bytes = 0
    /// End-of-text tokens included.
    package var tokens = 0
    package var vocabularySize = 0
    /// What of the directories that were named was not read.
    package var skipped = SkippedFiles()
}

/// Sends the tokens of all documents of `files` to `sink`, each document closed by the end-of-text token.
/// - Returns: how much it was
/// - Throws: `data` if there is no text at all, and what reading and writing throw
func tokenize(
    _ files: [TextFile], with tokenizer: any Tokenizer, into sink: some TokenSink, report: (String) -> Void
) throws(Failure) -> TokenizationSummary {
    var encoder = tokenizer.makeEncoder()
    var progress = Progress("tokenizing", files)
    var summary = TokenizationSummary(vocabularySize: tokenizer.vocabularySize)
    var tokens: [UInt32] = [], digest = ByteDigest()
    try requireReaders(for: files, report: report)
    for file in files {
        guard !file.holdsTokens else {
            try copyTokens(of: file, meaning: tokenizer, into: sink, counting: &summary, report: report)
            progress.finish(file)
            continue
        }
        try file.forEachPiece { (text: Span<UInt8>, isEnd: Bool, position: Int) throws(Failure) in
            tokens.removeAll(keepingCapacity: true)
            let used = encoder.encode(text, isEnd: isEnd, into: &tokens)
            if isEnd { tokens.append(UInt32(tokenizer.endOfText)) }
            try sink.append(tokens.span)
            digest.add(text.extracting(0..<used))
            summary.tokens += tokens.count
            summary.bytes += used
            try progress.show(position, report)
            guard isEnd else { return used }
            try sink.endDocument(hash: digest.value)
            digest = ByteDigest()
            summary.documents += 1
            return used
        }
        progress.finish(file)
    }
    try requireText(summary.bytes, in: files)
    return summary
}

func requireText(_ bytes: Int, in files: [TextFile]) throws(Failure) {
    guard bytes == 0 else { return }
    let names = files.prefix(3).map(\.path).joined(separator: ", ") + (files.count > 3 ? ", …" : "")
    throw Failure(
        .data, "the corpus is empty: there is no text in \(names)", advice: "name files with text")
}

/// `tokenizing 12.0 of 50.0 MB, 8.1 MB/s, 5 s left`, now and then, in bytes of the files as they are stored.
struct Progress {
    private let verb: String
    private let totalBytes: Int
    /// Of files that are finished.
    private var finished = 0
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now
    private static let interval = Duration.seconds(2)

    init(_ verb: String, _ files: [TextFile]) {
        self.verb = verb
        totalBytes = files.reduce(0) { $0 + $1.bytes }
    }

    /// Counts a file as read.
    mutating func finish(_ file: TextFile) { finished += file.bytes }

    /// - Parameters:
    ///   - position: how many bytes of the current file have been read
    ///   - report: takes the line, if it is time for one
    /// - Throws: `temporaryFailure` if a stop was requested
    mutating func show(_ position: Int, _ report: (String) -> Void) throws(Failure) {
        try SignalRequests.throwIfStopRequested(during: verb)
        let now = ContinuousClock.now
        guard now - shown >= Self.interval else { return }
        shown = now
        let bytes = finished + position
        let rate = Double(bytes) / ((now - started) / .seconds(1))
        let left = max(0, Double(totalBytes - bytes) / rate)
        report(
            "\(verb) \(decimals(Double(bytes) / 1e6, 1)) of \(decimals(Double(totalBytes) / 1e6, 1)) MB, \(decimals(rate / 1e6, 1)) MB/s, "
                + "\(Int(left.rounded(.up))) s left")
    }
}
