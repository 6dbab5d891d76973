import Configuration
import Diagnostics
import Platform

/// The first 128 bytes of a token file: what it holds, how much of it, and digests of both (docs/token-files.md).
struct TokenFileHeader: Equatable {
    static let byteCount = 128
    static let magic = Array("SWYTOKEN".utf8)

    var vocabularySize: Int
    var tokenCount: Int
    var documentCount: Int
    var metadataBytes: Int
    /// Sixteen characters.
    var tokenizerIdentity: String
    /// Of all bytes after the header.
    var contentDigest: UInt64

    var width: TokenWidth { TokenWidth(ofVocabulary: vocabularySize) }
    /// 1 of tokens of 16 bits; 2 of tokens of 32, which a vocabulary above 65,536 needs.
    private var version: Int { width == .two ? 1 : 2 }

    /// Where the document table begins: after the tokens, at the next multiple of eight.
    var documentsOffset: Int { Self.byteCount + (width.rawValue * tokenCount + 7) / 8 * 8 }
    var metadataOffset: Int { documentsOffset + 16 * documentCount }
    var fileSize: Int { metadataOffset + metadataBytes }

    var encoded: [UInt8] {
        var bytes = Self.magic
        append(UInt32(version), to: &bytes)
        append(UInt32(Self.byteCount), to: &bytes)
        for number in [vocabularySize, tokenCount, documentCount, metadataBytes] { append(UInt64(number), to: &bytes) }
        bytes += tokenizerIdentity.utf8
        append(contentDigest, to: &bytes)
        bytes += [UInt8](repeating: 0, count: Self.byteCount - 8 - bytes.count)
        append(bytes.span.digest, to: &bytes)
        return bytes
    }

    /// - Throws: `data` saying which of the checks failed, with numbers
    init(of file: MappedFile) throws(Failure) {
        let bytes = file.bytes
        guard bytes.count >= 8, (0..<8).allSatisfy({ bytes[$0] == Self.magic[$0] }) else {
            throw Failure(
                .data, "\(file.path) is not a token file: it does not begin with SWYTOKEN",
                advice: "make one with `switchyard tokenize FILE… --output \(file.path)`")
        }
        guard bytes.count >= Self.byteCount else { throw Self.truncated(file, expected: "at least \(Self.byteCount)") }
        let version = Int(bytes.word(at: 8) & 0xFFFF_FFFF)
        guard (1...2).contains(version) else {
            throw Failure(
                .data, "\(file.path) is a token file of version \(version); this Switchyard reads versions 1 and 2",
                advice: "tokenize the texts again with this version")
        }
        guard bytes.extracting(0..<Self.byteCount - 8).digest == bytes.word(at: Self.byteCount - 8),
            let header = Self(fields: bytes), header.version == version
        else {
            throw Failure(.data, "\(file.path): the header is damaged", advice: "tokenize the texts again")
        }
        self = header
        guard tokenCount <= file.count / width.rawValue, documentCount <= file.count / 16, metadataBytes <= file.count,
            fileSize <= file.count
        else { throw Self.truncated(file, expected: "\(tokenCount) tokens and \(documentCount) documents: more") }
        guard fileSize == file.count else {
            throw Failure(
                .data, "\(file.path) is \(file.count) bytes long, but its header speaks of \(fileSize)",
                advice: "something was appended to it; tokenize the texts again")
        }
    }

    init(
        vocabularySize: Int, tokenCount: Int, documentCount: Int, metadataBytes: Int, tokenizerIdentity: String,
        contentDigest: UInt64
    ) {
        precondition(tokenizerIdentity.utf8.count == 16)
        self.vocabularySize = vocabularySize
        self.tokenCount = tokenCount
        self.documentCount = documentCount
        self.metadataBytes = metadataBytes
        self.tokenizerIdentity = tokenizerIdentity
        self.contentDigest = contentDigest
    }

    /// Nil if a number makes no sense.
    private init?(fields bytes: Span<UInt8>) {
        let numbers = (0..<4).compactMap { Int(exactly: bytes.word(at: 16 + 8 * $0)) }
        let identity = (48..<64).map { bytes[$0] }
        guard numbers.count == 4, (1...largestVocabulary).contains(numbers[0]),
            identity.allSatisfy({ (33...126).contains($0) })
        else { return nil }
        self.init(
            vocabularySize: numbers[0], tokenCount: numbers[1], documentCount: numbers[2], metadataBytes: numbers[3],
            tokenizerIdentity: String(decoding: identity, as: UTF8.self), contentDigest: bytes.word(at: 64))
    }

    private static func truncated(_ file: MappedFile, expected: String) -> Failure {
        Failure(
            .data, "\(file.path) is truncated: it has \(file.count) bytes and should have \(expected)",
            advice: "copy it again, or tokenize the texts again")
    }
}

/// Appends the bytes of `number`, least significant first.
func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
}
