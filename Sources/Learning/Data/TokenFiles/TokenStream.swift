import Diagnostics
import Platform

/// The tokens of documents on their way into a file, and what is known of them: where each document ends, and the digest of what
/// was written. The file's form says what is in front of the tokens and what follows them.
final class TokenStream {
    /// Where a document ends, in tokens, and the digest of its text.
    struct DocumentEnd: Equatable {
        var end: Int
        var hash: UInt64
    }

    let file: AtomicFile
    let width: TokenWidth
    private let form: any TokenFileForm
    private(set) var tokenCount = 0
    private(set) var documents: [DocumentEnd] = []
    /// Of everything behind the header.
    private var digest = ContentDigest()

    /// What an earlier process wrote and did not finish stays until `begin` or `restore`.
    init(_ path: String, _ width: TokenWidth, _ form: some TokenFileForm) throws(Failure) {
        file = try AtomicFile(path, keepsContents: true)
        self.width = width
        self.form = form
    }

    /// Empties the file, with space for the header, which is written last.
    func begin() throws(Failure) {
        try file.truncate(to: 0)
        try file.append([UInt8](repeating: 0, count: form.headerBytes).span)
        (tokenCount, documents, digest) = (0, [], ContentDigest())
    }

    /// Takes up what an earlier process wrote.
    /// - Returns: false if the file does not have these contents
    func restore(tokens: Int, digest expected: UInt64, documents: [DocumentEnd]) throws(Failure) -> Bool {
        let written = try file.written(), end = form.headerBytes + width.rawValue * tokens
        guard written.count >= end else { return false }
        var digest = ContentDigest()
        digest.add(written.bytes.extracting(form.headerBytes..<end))
        guard digest.value == expected else { return false }
        try file.truncate(to: end)
        (tokenCount, self.documents, self.digest) = (tokens, documents, digest)
        return true
    }

    /// The digest of the tokens, which are on the disk when this returns.
    func save() throws(Failure) -> UInt64 {
        try file.sync()
        return digest.value
    }

    func append(_ tokens: Span<UInt32>) throws(Failure) {
        tokenCount += tokens.count
        guard width == .two else {
            precondition(width == .four)
            return try appendBytes(of: tokens)
        }
        let narrow = tokens.indices.map { UInt16(tokens[$0]) }
        try appendBytes(of: narrow.span)
    }

    /// Adds what follows the tokens, or a part of them.
    func appendBytes<Element: BitwiseCopyable>(of elements: Span<Element>) throws(Failure) {
        unsafe elements.withUnsafeBytes { unsafe digest.add(Span(_unsafeBytes: $0)) }
        try file.append(elements)
    }

    /// The document that was appended last is complete.
    /// - Parameters:
    ///   - end: in tokens of the whole file
    ///   - hash: the digest of its text
    func endDocument(at end: Int, hash: UInt64) throws(Failure) {
        try form.requireFit(documentOf: end - (documents.last?.end ?? 0), file.path)
        documents.append(DocumentEnd(end: end, hash: hash))
    }

    /// Completes the file and gives it its name.
    func finish(_ metadata: TokenFileMetadata) throws(Failure) {
        try form.complete(self, metadata)
        try form.commit(file)
    }

    /// Of everything behind the header that has been appended.
    var contentDigest: UInt64 { digest.value }
}

/// How a file of tokens looks in one of the formats that trainers read.
protocol TokenFileForm {
    var headerBytes: Int { get }
    /// - Throws: `data` if the format has no document of so many tokens
    func requireFit(documentOf length: Int, _ path: String) throws(Failure)
    /// Writes the header and what follows the tokens.
    func complete(_ stream: TokenStream, _ metadata: TokenFileMetadata) throws(Failure)
    /// Gives the file its name, and what lies beside it.
    func commit(_ file: AtomicFile) throws(Failure)
}

extension TokenFileForm {
    func commit(_ file: AtomicFile) throws(Failure) { try file.commit() }

    func requireFit(documentOf length: Int, _ path: String) throws(Failure) {}
}
