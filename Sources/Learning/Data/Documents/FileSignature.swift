import Compression

/// What the first bytes of a file say it is, of the kinds that are met where text or bare tokens are expected.
enum FileSignature: CaseIterable {
    case gzip, zstandard, xz, bzip2, lz4, zip, parquet, hdf5, numPy

    /// Nil for what has no signature, such as text.
    init?(_ bytes: Span<UInt8>) {
        guard let found = Self.allCases.first(where: { $0.isSignature(of: bytes) }) else { return nil }
        self = found
    }

    private var magic: [UInt8] {
        switch self {
        case .gzip: [0x1F, 0x8B, 0x08]
        case .zstandard: [0x28, 0xB5, 0x2F, 0xFD]
        case .xz: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
        case .bzip2: Array("BZh".utf8)
        case .lz4: [0x04, 0x22, 0x4D, 0x18]
        case .zip: Array("PK\u{3}\u{4}".utf8)
        case .parquet: Array("PAR1".utf8)
        case .hdf5: [0x89] + Array("HDF\r\n\u{1A}\n".utf8)
        case .numPy: [0x93] + Array("NUMPY".utf8)
        }
    }

    /// How many first bytes a signature needs at most.
    static let longest = 12

    /// The compression that a file of this kind is read through; nil for other kinds.
    var compression: FileCompression? {
        switch self {
        case .gzip: .gzip
        case .zstandard: .zstandard
        default: nil
        }
    }

    private func isSignature(of bytes: Span<UInt8>) -> Bool {
        if self == .zstandard, isSkippableFrame(bytes) { return true }
        guard bytes.count >= magic.count, magic.indices.allSatisfy({ bytes[$0] == magic[$0] }) else { return false }
        switch self {
        // Text may begin like these; the files go on in a way of their own.
        case .bzip2: return bytes.count >= 10 && bytes[4] == 0x31 && bytes[5] == 0x41 && bytes[6] == 0x59
        case .parquet: return bytes.count >= 12 && (0..<4).allSatisfy { bytes[bytes.count - 4 + $0] == magic[$0] }
        default: return true
        }
    }

    /// Whether the bytes begin with a frame of Zstandard that is passed over (RFC 8878, 3.1.2), as those of parallel programs do.
    private func isSkippableFrame(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 4 && bytes[0] & 0xF0 == 0x50 && bytes[1] == 0x2A && bytes[2] == 0x4D && bytes[3] == 0x18
    }

    /// Completes "FILE is …".
    var inWords: String {
        switch self {
        case .gzip: "compressed by gzip"
        case .zstandard: "compressed by zstd"
        case .xz: "compressed by xz"
        case .bzip2: "compressed by bzip2"
        case .lz4: "compressed by lz4"
        case .zip: "a zip archive"
        case .parquet: "a Parquet file"
        case .hdf5: "an HDF5 file"
        case .numPy: "a NumPy array"
        }
    }

    var advice: String {
        switch self {
        case .gzip: "unpack it first: gunzip --keep FILE"
        case .zstandard: "unpack it first: zstd --decompress FILE"
        case .xz: "unpack it first: unxz --keep FILE"
        case .bzip2: "unpack it first: bunzip2 --keep FILE"
        case .lz4: "unpack it first: lz4 -d FILE"
        case .zip: "unpack it first: unzip FILE"
        case .parquet: "let its name end in .parquet, and its texts are read"
        case .hdf5: "write its texts as JSON lines first, one object with a `text` on each line"
        case .numPy: "write its numbers alone: array.astype('uint16').tofile('tokens.bin')"
        }
    }
}
