import Diagnostics
import Platform
import Tokenizers

/// Appends the tokens of another trainer's file to `stream` as they are, document by document.
/// - Throws: `data` for a token that the tokenizer does not have
func copyTokens(
    of file: TextFile, meaning tokenizer: any Tokenizer, into stream: TokenStream,
    counting summary: inout TokenizationSummary, report: (String) -> Void
) throws(Failure) {
    let source = try ForeignTokenFile(file.path, vocabularySize: tokenizer.vocabularySize)
    if let note = source.note { report(note) }
    let piece = 1 << 20
    let spelling = (0..<tokenizer.vocabularySize).map { tokenizer.bytes(of: $0) }
    var documents = ForeignDocuments(of: source, endOfText: tokenizer.endOfText)
    var document: [UInt32] = [], digest = ByteDigest()
    for position in 0..<source.count {
        let token = source.token(position)
        guard spelling.indices.contains(token) else {
            throw source.outsideVocabulary(token, at: position, size: spelling.count)
        }
        document.append(UInt32(token))
        for byte in spelling[token] { digest.add(byte) }
        summary.bytes += spelling[token].count
        summary.tokens += 1
        let isDone = documents.ends(with: token, at: position)
        if isDone || document.count == piece {
            try SignalRequests.throwIfStopRequested(during: "copying tokens")
            try stream.append(document.span)
            document.removeAll(keepingCapacity: true)
        }
        guard isDone else { continue }
        try stream.endDocument(at: stream.tokenCount, hash: digest.value)
        summary.documents += 1
        digest = ByteDigest()
    }
}
