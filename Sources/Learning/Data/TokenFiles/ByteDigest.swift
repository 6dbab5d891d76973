import Platform
import Randomness

/// A 64-bit digest of bytes that arrive in pieces: FNV-1a byte by byte, then mixed, for texts and headers. For naming, not
/// for security.
struct ByteDigest {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }

    mutating func add(_ bytes: Span<UInt8>) {
        for i in bytes.indices { add(bytes[i]) }
    }

    var value: UInt64 { mix(hash) }
}

extension Span<UInt8> {
    /// `ByteDigest` of the whole.
    var digest: UInt64 {
        var digest = ByteDigest()
        digest.add(self)
        return digest.value
    }

    /// The eight bytes at `offset` as a number, least significant first.
    func word(at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[offset + $1]) << UInt64(8 * $1) }
    }
}

extension MappedFile {
    /// A 64-bit digest of everything from byte `start`, a multiple of eight: four lanes of multiplications over 64-bit
    /// words, so that it runs at the speed of memory.
    func digest(from start: Int) -> UInt64 {
        let wordCount = (count - start) / 8
        let words = view(of: UInt64.self, at: start, count: wordCount)
        var lanes = SIMD4<UInt64>(1, 2, 3, 4)
        let whole = wordCount / 4 * 4
        for i in stride(from: 0, to: whole, by: 4) {
            lanes[0] = ((lanes[0] ^ words[i]) &* 0x9E37_79B9_7F4A_7C15).byteSwapped
            lanes[1] = ((lanes[1] ^ words[i + 1]) &* 0x9E37_79B9_7F4A_7C15).byteSwapped
            lanes[2] = ((lanes[2] ^ words[i + 2]) &* 0x9E37_79B9_7F4A_7C15).byteSwapped
            lanes[3] = ((lanes[3] ^ words[i + 3]) &* 0x9E37_79B9_7F4A_7C15).byteSwapped
        }
        let rest = start + 8 * whole
        var result = bytes.extracting(rest..<count).digest
        for lane in 0..<4 { result = mix(result ^ lanes[lane]) }
        return mix(result ^ UInt64(count - start))
    }
}
