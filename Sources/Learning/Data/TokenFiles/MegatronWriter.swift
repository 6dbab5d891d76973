import Diagnostics
import Platform

/// Megatron's indexed dataset, one sequence a document: `NAME.bin` holds the tokens, `NAME.idx` the magic `MMIDIDX\0\0`,
/// version 1 (u64), the code of the tokens' type (u8: 8 for u16, 4 for i32), how many sequences and document boundaries follow (u64 each), the
/// lengths (i32), the byte offsets (i64) and the boundaries (i64), which begin with 0. All little-endian.
struct MegatronWriter: TokenFileForm {
    let headerBytes = 0
    private let index: AtomicFile

    /// - Parameter path: of the index
    init(index path: String) throws(Failure) { index = try AtomicFile(path) }

    func requireFit(documentOf length: Int, _ path: String) throws(Failure) {
        guard Int32(exactly: length) == nil else { return }
        throw Failure(
            .data, "\(index.path): Megatron's sequences have at most \(Int32.max) tokens, one document has \(length)",
            advice: "split the document")
    }

    func complete(_ stream: TokenStream, _ metadata: TokenFileMetadata) throws(Failure) {
        let ends = [0] + stream.documents.map(\.end), width = stream.width
        var header = Array("MMIDIDX\0\0".utf8)
        append(UInt64(1), to: &header)
        header.append(width == .two ? 8 : 4)
        append(UInt64(ends.count - 1), to: &header)
        append(UInt64(ends.count), to: &header)
        try index.append(header.span)
        let lengths = zip(ends, ends.dropFirst()).map { Int32($1 - $0) }
        try index.append(lengths.span)
        let offsets = ends.dropLast().map { Int64(width.rawValue * $0) }
        try index.append(offsets.span)
        let boundaries = ends.indices.map(Int64.init)
        try index.append(boundaries.span)
    }

    /// The index says how many tokens there are: they come first.
    func commit(_ tokens: AtomicFile) throws(Failure) {
        try tokens.commit()
        try index.commit()
    }
}
