import Diagnostics
import Platform
import Tokenizers

/// Sends the tokens of another trainer's file to `sink` as they are, document by document: a document ends where the
/// file says so, or behind an end-of-text token. One of nothing but end-of-text tokens is joined to the next.
/// - Throws: `data` for a token that the tokenizer does not have
func copyTokens(
    of file: TextFile, meaning tokenizer: any Tokenizer, into sink: some TokenSink,
    counting summary: inout TokenizationSummary, report: (String) -> Void
) throws(Failure) {
    let source = try ForeignTokenFile(file.path, vocabularySize: tokenizer.vocabularySize)
    if let note = source.note { report(note) }
    let piece = 1 << 20
    let spelling = (0..<tokenizer.vocabularySize).map { tokenizer.bytes(of: $0) }
    var document: [UInt32] = [], digest = ByteDigest(), hasText = false, boundary = 0
    for position in 0..<source.count {
        let token = source.token(position)
        guard spelling.indices.contains(token) else {
            throw source.outsideVocabulary(token, at: position, size: spelling.count)
        }
        document.append(UInt32(token))
        for byte in spelling[token] { digest.add(byte) }
        summary.bytes += spelling[token].count
        hasText = hasText || token != tokenizer.endOfText
        summary.tokens += 1
        if let ends = source.ends {
            while boundary < ends.count, ends[boundary] <= position { boundary += 1 }
        }
        let isEnd =
            source.ends.map { boundary < $0.count && $0[boundary] == position + 1 } ?? (token == tokenizer.endOfText)
        let isDone = position + 1 == source.count || isEnd && hasText
        if isDone || document.count == piece {
            try SignalRequests.throwIfStopRequested(during: "copying tokens")
            try sink.append(document.span)
            document.removeAll(keepingCapacity: true)
        }
        guard isDone else { continue }
        try sink.endDocument(hash: digest.value)
        summary.documents += 1
        (digest, hasText) = (ByteDigest(), false)
    }
}
