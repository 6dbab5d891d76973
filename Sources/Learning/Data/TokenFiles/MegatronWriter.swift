import Diagnostics
import Platform

/// Megatron's indexed dataset, one sequence a document: `NAME.bin` holds the tokens, `NAME.idx` the magic `MMIDIDX\0\0`,
/// version 1 (u64), the code of the tokens' type (u8: 8 for u16, 4 for i32), how many sequences and document boundaries follow (u64 each), the
/// lengths (i32), the byte offsets (i64) and the boundaries (i64), which begin with 0. All little-endian.
final class MegatronWriter: TokenSink {
    private let tokens: AtomicFile
    private let index: AtomicFile
    private let width: TokenWidth
    private var lengths: [Int32] = []
    private var length = 0

    /// - Parameter path: `NAME`, `NAME.bin` or `NAME.idx`
    init(_ path: String, _ width: TokenWidth) throws(Failure) {
        let parts = ForeignTokenFile.parts(of: path)
        tokens = try AtomicFile(parts[0])
        index = try AtomicFile(parts[1])
        self.width = width
    }

    func append(_ tokens: Span<UInt32>) throws(Failure) {
        try self.tokens.append(tokens, in: width)
        length += tokens.count
    }

    func endDocument(hash: UInt64) throws(Failure) {
        guard let length = Int32(exactly: length) else {
            throw Failure(
                .data,
                "\(index.path): Megatron's sequences have at most \(Int32.max) tokens, one document has \(length)",
                advice: "split the document")
        }
        lengths.append(length)
        self.length = 0
    }

    func finish(_ metadata: TokenFileMetadata) throws(Failure) {
        var header = Array("MMIDIDX\0\0".utf8)
        Data.append(UInt64(1), to: &header)
        header.append(width == .two ? 8 : 4)
        Data.append(UInt64(lengths.count), to: &header)
        Data.append(UInt64(lengths.count + 1), to: &header)
        try index.append(header.span)
        let lengths = lengths
        try index.append(lengths.span)
        var offset: Int64 = 0
        let width = width
        let offsets = lengths.map { length in
            defer { offset += Int64(width.rawValue) * Int64(length) }
            return offset
        }
        try index.append(offsets.span)
        let boundaries = (0...Int64(lengths.count)).map { $0 }
        try index.append(boundaries.span)
        try tokens.commit()
        try index.commit()
    }
}
