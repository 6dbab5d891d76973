/// Numbers as runs of equal ones and as packed bits, in turn: Parquet's "RLE/bit-packing hybrid" (Encodings.md, RLE = 3), in which
/// definition levels and indices into dictionaries stand.
struct RunLengthDecoder {
    private let width: Int
    private var place: Int
    private let end: Int
    /// Numbers left of the current run.
    private var left = 0
    /// The number of a run of equal ones; nil in packed bits.
    private var value: Int?
    /// Where in packed bits the next number begins.
    private var bit = 0

    /// - Parameters:
    ///   - range: the bytes of what `next` is given
    ///   - width: bits of a number, at most 32
    init(_ range: Range<Int>, width: Int) throws(ParquetError) {
        guard (0...32).contains(width) else { throw .damaged("a page has numbers of \(width) bits") }
        self.width = width
        place = range.lowerBound
        end = range.upperBound
    }

    mutating func next(in bytes: [UInt8]) throws(ParquetError) -> Int {
        if left == 0 { try beginRun(bytes) }
        left -= 1
        if let value { return value }
        defer { bit += width }
        return Int(truncatingIfNeeded: bytes.bits(at: bit, width))
    }

    private mutating func beginRun(_ bytes: [UInt8]) throws(ParquetError) {
        let header = try bytes.variableLengthNumber(at: &place, before: end)
        guard header >> 1 > 0, header >> 1 <= UInt64(Int32.max) else {
            throw .damaged("a page has a run of \(header >> 1) numbers")
        }
        let count = Int(header >> 1), byteCount = header & 1 == 1 ? count * width : (width + 7) / 8
        guard byteCount <= end - place else { throw .damaged("a page ends within its numbers") }
        if header & 1 == 1 {
            // Groups of eight numbers, each of `width` bytes.
            (left, value, bit) = (8 * count, nil, 8 * place)
        } else {
            (left, value) = (count, Int(truncatingIfNeeded: bytes.bits(at: 8 * place, 8 * byteCount)))
        }
        place += byteCount
    }
}

extension [UInt8] {
    /// `width` bits from bit `place` on, the least significant first; at most 64, and inside the bytes.
    func bits(at place: Int, _ width: Int) -> UInt64 {
        var value: UInt64 = 0, found = 0
        while found < width {
            let bit = place + found, taken = Swift.min(8 - bit & 7, width - found)
            let part = UInt64(self[bit >> 3]) >> UInt64(bit & 7) & (1 << UInt64(taken) - 1)
            value |= part << UInt64(found)
            found += taken
        }
        return value
    }

    /// A number of seven bits a byte, the least significant first (LEB128), and steps behind it.
    func variableLengthNumber(at place: inout Int, before end: Int) throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard place < end else { throw .damaged("a page ends within its numbers") }
            let byte = self[place]
            place += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        throw .damaged("a page has a number of more than 64 bits")
    }

    /// The same, with the sign in the lowest bit.
    func signedNumber(at place: inout Int, before end: Int) throws(ParquetError) -> Int {
        let value = try variableLengthNumber(at: &place, before: end)
        return Int(bitPattern: UInt(value >> 1)) ^ -Int(value & 1)
    }
}
