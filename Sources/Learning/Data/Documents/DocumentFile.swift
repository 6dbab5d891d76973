import Compression
import Diagnostics
import Platform

/// A file with documents, which may be compressed.
struct DocumentFile {
    /// As it is stored.
    let stored: MappedFile
    /// How it is compressed, as its first bytes say whatever its name is; nil if it is not.
    let compression: FileCompression?
    /// The field that holds the texts; nil if none was named.
    let textField: String?

    /// - Throws: `noInput` if it cannot be read, `data` if it is called compressed and is not
    init(_ text: TextFile) throws(Failure) {
        let path = text.path
        let file = try MappedFile(path), signature = FileSignature(file.bytes)
        stored = file
        textField = text.textField
        compression = signature?.compression
        guard let suffix = Self.suffix(of: path), signature == nil, file.count > 0 else { return }
        throw Failure(
            .data, "\(path) is not compressed, although its name ends in \(suffix)",
            advice: "copy it again, or rename it if it is what it should be")
    }

    var path: String { stored.path }
    var isEmpty: Bool { stored.count == 0 }
    /// Whether its texts may have many more bytes than it has.
    var isPacked: Bool { compression != nil || FileSignature(stored.bytes) == .parquet }

    /// What the contents are by their first bytes, those of a compressed file without its compression; nil for text.
    /// - Throws: `data` if it cannot be decompressed
    func signature() throws(Failure) -> FileSignature? {
        guard compression != nil else { return FileSignature(stored.bytes) }
        var bytes = try contents(), beginning: [UInt8] = []
        while beginning.count < FileSignature.longest, try bytes.read(upTo: FileSignature.longest, into: &beginning) > 0
        {}
        return FileSignature(beginning.span)
    }

    /// The contents from their beginning.
    /// - Throws: `noInput` if the file is gone, `unavailable` if there is no memory to decompress it
    func contents() throws(Failure) -> DocumentBytes {
        guard let compression else { return DocumentBytes(try RegularFile(path)) }
        return DocumentBytes(try CompressedFile(path, compression))
    }

    /// How the name of a compressed file ends, which says nothing of what is compressed.
    private static func suffix(of name: String) -> String? {
        let name = name.lowercased()
        return [".gz", ".zst"].first(where: name.hasSuffix)
    }

    /// The name without the suffix of a compressed file; nil if it has none.
    static func nameUncompressed(_ name: String) -> String? {
        suffix(of: name).map { String(name.dropLast($0.count)) }
    }
}

/// The contents of a file with documents, in order.
struct DocumentBytes {
    private enum Source {
        case plain(RegularFile)
        case compressed(CompressedFile)
    }

    private let source: Source
    /// Bytes of a file that is not compressed that have been read.
    private var place = 0

    fileprivate init(_ file: RegularFile) { source = .plain(file) }

    fileprivate init(_ file: CompressedFile) { source = .compressed(file) }

    /// How many bytes of the file, as it is stored, have been read.
    var position: Int {
        switch source {
        case .plain: place
        case .compressed(let file): file.position
        }
    }

    /// Appends at most `count` bytes: some, unless the contents are at their end.
    /// - Returns: how many
    /// - Throws: `data` for a compressed file that is damaged
    mutating func read(upTo count: Int, into bytes: inout [UInt8]) throws(Failure) -> Int {
        switch source {
        case .compressed(let file): return try file.read(upTo: count, into: &bytes)
        case .plain(let file):
            // Read, not mapped: pages of a mapping count as memory of this process.
            let end = place + min(count, file.size - place)
            bytes += try file.bytes(from: place, to: end)
            defer { place = end }
            return end - place
        }
    }
}
