import Diagnostics

/// Takes the lines out of a file one after the other, with one of them in memory. A byte order mark is no part of the first.
struct LineReader {
    /// Bytes that are read at once, unless a line is longer.
    private static let pieceSize = 1 << 18

    private var bytes: DocumentBytes
    private var buffer: [UInt8] = []
    /// Where in the buffer the next line begins.
    private var start = 0
    private var isAtEnd = false
    /// The number of the last line, from 1 on.
    private(set) var number = 0

    /// - Throws: as `DocumentFile.contents`; `data` for a compressed file that is damaged
    init(_ file: DocumentFile) throws(Failure) {
        bytes = try file.contents()
        while buffer.count < 3, !isAtEnd { try readOn() }
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    }

    /// How many bytes of the file, as it is stored, have been read.
    var position: Int { bytes.position }

    /// The first byte of the next line, which may be its line feed; nil at the end.
    mutating func firstByte() throws(Failure) -> UInt8? {
        while start == buffer.count {
            guard !isAtEnd else { return nil }
            try readOn()
        }
        return buffer[start]
    }

    /// The next line.
    enum Line {
        /// Without its line feed.
        case bytes([UInt8])
        case tooLong
        case none
    }

    /// - Parameter longest: how many bytes a line may have
    mutating func next(upTo longest: Int) throws(Failure) -> Line {
        guard try firstByte() != nil else { return .none }
        number += 1
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                guard end - start <= longest else { return .tooLong }
                defer { start = end + 1 }
                return .bytes(Array(buffer[start..<end]))
            }
            guard buffer.count - start <= longest else { return .tooLong }
            guard !isAtEnd else {
                defer { start = buffer.count }
                return .bytes(Array(buffer[start...]))
            }
            searched = buffer.count - start
            try readOn()
        }
    }

    /// Reads the next piece behind what is left of the last ones.
    private mutating func readOn() throws(Failure) {
        buffer.removeFirst(start)
        start = 0
        // As much again as there is, so that a line of any length is moved a bounded number of times.
        let wanted = buffer.count + max(Self.pieceSize, buffer.count)
        while buffer.count < wanted {
            guard try bytes.read(upTo: wanted - buffer.count, into: &buffer) > 0 else {
                isAtEnd = true
                return
            }
        }
    }
}
