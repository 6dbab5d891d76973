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

/// A 64-bit digest of contents that arrive in pieces: four lanes of multiplications over 64-bit words, so that it runs at the
/// speed of memory (docs/token-files.md).
struct ContentDigest {
    private static let groupBytes = 32
    private var lanes = SIMD4<UInt64>(1, 2, 3, 4)
    /// Fewer than a group.
    private var rest: [UInt8] = []
    private(set) var count = 0

    mutating func add(_ bytes: Span<UInt8>) {
        count += bytes.count
        var start = 0
        while !rest.isEmpty, start < bytes.count, rest.count < Self.groupBytes {
            rest.append(bytes[start])
            start += 1
        }
        if rest.count == Self.groupBytes {
            let group = rest
            rest.removeAll(keepingCapacity: true)
            addGroups(of: group.span)
        }
        let end = bytes.count - (bytes.count - start) % Self.groupBytes
        addGroups(of: bytes.extracting(start..<end))
        for i in end..<bytes.count { rest.append(bytes[i]) }
    }

    private mutating func addGroups(of bytes: Span<UInt8>) {
        let words = unsafe bytes.bytes
        for group in 0..<bytes.count / Self.groupBytes {
            let start = group * Self.groupBytes
            for lane in 0..<4 {
                let word = unsafe words.unsafeLoadUnaligned(fromByteOffset: start + 8 * lane, as: UInt64.self)
                lanes[lane] = ((lanes[lane] ^ word) &* 0x9E37_79B9_7F4A_7C15).byteSwapped
            }
        }
    }

    var value: UInt64 {
        var result = rest.span.digest
        for lane in 0..<4 { result = mix(result ^ lanes[lane]) }
        return mix(result ^ UInt64(count))
    }
}

extension MappedFile {
    /// The digest of everything from byte `start`.
    func digest(from start: Int) -> UInt64 {
        var digest = ContentDigest()
        digest.add(bytes.extracting(start..<count))
        return digest.value
    }
}
