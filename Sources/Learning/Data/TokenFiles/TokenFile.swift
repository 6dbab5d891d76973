package import Diagnostics
import Platform
package import Tokenizers

/// A tokenized corpus on disk, seen through memory (docs/token-files.md): the tokens of all documents end to end, each
/// document closed by its end-of-text token, then a table of documents, then the tokenizer itself.
package final class TokenFile: Sendable {
    package let path: String
    package let tokenizer: any Tokenizer
    package let metadata: TokenFileMetadata
    private let file: MappedFile
    private let header: TokenFileHeader

    /// Checks header, size and tokenizer, in time independent of the number of tokens; `verify` reads the rest.
    /// - Throws: `noInput` or `data` with what is wrong and where
    package init(_ path: String) throws(Failure) {
        let file = try MappedFile(path)
        header = try TokenFileHeader(of: file)
        self.file = file
        self.path = path
        let json = file.bytes.extracting(header.metadataOffset..<file.count)
        metadata = try TokenFileMetadata(json: json.array, in: path)
        tokenizer = try readTokenizer(Array(metadata.tokenizer.utf8), from: path)
        guard tokenizer.identity == header.tokenizerIdentity, tokenizer.vocabularySize == header.vocabularySize else {
            throw Failure(
                .data,
                "\(path): the header names tokenizer \(header.tokenizerIdentity) with \(header.vocabularySize) entries, "
                    + "but the file carries \(tokenizer.identity) with \(tokenizer.vocabularySize)",
                advice: "tokenize the texts again")
        }
    }

    package var tokenCount: Int { header.tokenCount }
    package var documentCount: Int { header.documentCount }
    var width: TokenWidth { header.width }

    /// `destination[i] = token[position + i]` of all tokens, the documents end to end.
    func copy(from position: Int, into destination: inout MutableSpan<Int32>) {
        let file = file
        switch header.width {
        case .two: widen(tokens(of: UInt16.self, in: file), from: position, into: &destination)
        default: widen(tokens(of: UInt32.self, in: file), from: position, into: &destination)
        }
    }

    package subscript(position: Int) -> Int {
        let file = file
        return switch header.width {
        case .two: Int(tokens(of: UInt16.self, in: file)[position])
        default: Int(tokens(of: UInt32.self, in: file)[position])
        }
    }

    /// All tokens as they are stored, in `width`.
    @_lifetime(borrow file)
    private func tokens<Stored: FixedWidthInteger & BitwiseCopyable>(
        of type: Stored.Type, in file: borrowing MappedFile
    ) -> Span<Stored> {
        file.view(of: type, at: TokenFileHeader.byteCount, count: header.tokenCount)
    }

    /// The end of document `index` in `tokens`, and the digest of its text.
    package func document(_ index: Int) -> (end: UInt64, hash: UInt64) {
        precondition(index >= 0 && index < documentCount)
        let file = file
        let entry = file.view(of: UInt64.self, at: header.documentsOffset + 16 * index, count: 2)
        return (UInt64(littleEndian: entry[0]), UInt64(littleEndian: entry[1]))
    }

    /// Where the document that holds token `position` ends, O(log documents).
    func documentEnd(at position: Int) -> Int {
        var low = 0, high = documentCount - 1
        while low < high {
            let middle = (low + high) / 2
            if document(middle).end > UInt64(position) { high = middle } else { low = middle + 1 }
        }
        return Int(document(low).end)
    }

    /// Reads the whole file: every bit is as it was written and every token is in the vocabulary.
    package func verify() throws(Failure) {
        guard file.digest(from: TokenFileHeader.byteCount) == header.contentDigest else {
            throw Failure(
                .data, "\(path) is damaged: its contents do not have the digest that its header gives",
                advice: "copy it again, or tokenize the texts again")
        }
        let file = file
        let (largest, position) =
            header.width == .two
            ? largestToken(tokens(of: UInt16.self, in: file)) : largestToken(tokens(of: UInt32.self, in: file))
        guard largest < header.vocabularySize else {
            throw Failure(
                .data, "\(path): token \(position) is \(largest), outside the vocabulary of \(header.vocabularySize)",
                advice: "the file was made by something else; tokenize the texts again")
        }
        _ = try documentRanges { _ in true }
    }

    /// The token ranges of the documents whose text digest satisfies `isChosen`, neighbors joined.
    func documentRanges(where isChosen: (UInt64) -> Bool) throws(Failure) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for index in 0..<documentCount {
            let (end, hash) = document(index)
            guard end > UInt64(start), end <= UInt64(tokenCount) else {
                throw Failure(
                    .data, "\(path): document \(index) ends at token \(end), which cannot be after \(start)",
                    advice: "the document table is damaged; tokenize the texts again")
            }
            if isChosen(hash) {
                if ranges.last?.upperBound == start {
                    ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<Int(end)
                } else {
                    ranges.append(start..<Int(end))
                }
            }
            start = Int(end)
        }
        guard start == tokenCount else {
            throw Failure(.data, "\(path): \(tokenCount - start) tokens after the last document belong to none")
        }
        return ranges
    }

    /// - Throws: `data` if this file's tokens do not mean what `other`'s mean
    package func requireTokenizer(of other: any Tokenizer, named name: String) throws(Failure) {
        guard tokenizer.identity == other.identity else {
            throw Failure(
                .data,
                "\(path) was made with tokenizer \(tokenizer.identity) (vocabulary \(tokenizer.vocabularySize)), "
                    + "\(name) with \(other.identity) (vocabulary \(other.vocabularySize))",
                advice: "tokenize both with the same tokenizer")
        }
    }

    /// Whether `path` claims to be a token file, by its name or its first bytes.
    package static func isTokenFile(_ path: String) -> Bool {
        if path.hasSuffix(".tokens") { return true }
        guard let file = try? MappedFile(path), file.count >= 8 else { return false }
        return (0..<8).allSatisfy { file.bytes[$0] == TokenFileHeader.magic[$0] }
    }
}

/// `destination[i] = tokens[position + i]`
private func widen<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ tokens: Span<Stored>, from position: Int, into destination: inout MutableSpan<Int32>
) {
    for i in destination.indices { destination[i] = Int32(truncatingIfNeeded: tokens[position + i]) }
}

/// The largest of `tokens` and where it first stands; 0 at 0 if there are none.
private func largestToken<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ tokens: Span<Stored>
) -> (token: Int, position: Int) {
    var largest: Stored = 0
    for i in tokens.indices { largest = max(largest, tokens[i]) }
    return (Int(largest), tokens.indices.first { tokens[$0] == largest } ?? 0)
}

extension Span where Element: BitwiseCopyable {
    var array: [Element] { indices.map { self[$0] } }
}
