import Diagnostics
import Platform
import Tokenizers

/// Writes a token file (docs/token-files.md).
final class TokenFileWriter: TokenSink {
    private let file: AtomicFile
    private let tokenizer: any Tokenizer
    private let width: TokenWidth
    private var tokenCount = 0
    private var documents: [UInt64] = []

    init(_ path: String, tokenizer: any Tokenizer) throws(Failure) {
        file = try AtomicFile(path)
        self.tokenizer = tokenizer
        width = TokenWidth(ofVocabulary: tokenizer.vocabularySize)
        // Space for the header, which is written last.
        try file.append([UInt8](repeating: 0, count: TokenFileHeader.byteCount).span)
    }

    func append(_ tokens: Span<UInt32>) throws(Failure) {
        try file.append(tokens, in: width)
        tokenCount += tokens.count
    }

    func endDocument(hash: UInt64) throws(Failure) {
        documents.append(UInt64(tokenCount).littleEndian)
        documents.append(hash.littleEndian)
    }

    func finish(_ metadata: TokenFileMetadata) throws(Failure) {
        let json = metadata.encoded
        let padding = [UInt8](repeating: 0, count: (8 - width.rawValue * tokenCount % 8) % 8)
        try file.append(padding.span)
        let documents = documents
        try file.append(documents.span)
        try file.append(json.span)
        let written = try file.written()
        let header = TokenFileHeader(
            vocabularySize: tokenizer.vocabularySize, tokenCount: tokenCount, documentCount: documents.count / 2,
            metadataBytes: json.count, tokenizerIdentity: tokenizer.identity,
            contentDigest: written.digest(from: TokenFileHeader.byteCount))
        try file.overwrite(at: 0, with: header.encoded.span)
        try file.commit()
    }
}
