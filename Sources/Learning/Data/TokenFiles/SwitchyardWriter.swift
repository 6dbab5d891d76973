import Diagnostics
import Platform
import Tokenizers

/// The format of docs/token-files.md.
struct SwitchyardWriter: TokenFileForm {
    let tokenizer: any Tokenizer

    var headerBytes: Int { TokenFileHeader.byteCount }

    func complete(_ stream: TokenStream, _ metadata: TokenFileMetadata) throws(Failure) {
        let json = metadata.encoded
        let padding = [UInt8](repeating: 0, count: (8 - stream.width.rawValue * stream.tokenCount % 8) % 8)
        try stream.appendBytes(of: padding.span)
        let documents = stream.documents.flatMap { [UInt64($0.end).littleEndian, $0.hash.littleEndian] }
        try stream.appendBytes(of: documents.span)
        try stream.appendBytes(of: json.span)
        let header = TokenFileHeader(
            vocabularySize: tokenizer.vocabularySize, tokenCount: stream.tokenCount,
            documentCount: stream.documents.count, metadataBytes: json.count, tokenizerIdentity: tokenizer.identity,
            contentDigest: stream.contentDigest)
        try stream.file.overwrite(at: 0, with: header.encoded.span)
    }
}
