/// Where a value of a data page lies.
enum ValuePlace {
    /// In the page.
    case page(Range<Int>)
    /// An entry of the dictionary.
    case entry(Int)
    /// A beginning of the value before, so many bytes long, and bytes of the page.
    case continuation(Int, Range<Int>)
}

/// The values of a data page that are not null, in order, in one of their encodings (Encodings.md). It holds places only: the bytes of
/// the page are given to `next`.
enum PageValues {
    /// A length of 32 bits before each value.
    case plain(Range<Int>)
    /// Indices into the dictionary.
    case dictionary(RunLengthDecoder)
    /// All lengths, then all values end to end (DELTA_LENGTH_BYTE_ARRAY).
    case lengths(DeltaDecoder, Range<Int>)
    /// What each value repeats of the one before, then what it adds as above (DELTA_BYTE_ARRAY).
    case prefixes(DeltaDecoder, DeltaDecoder, Range<Int>)

    /// - Parameters:
    ///   - bytes: a page
    ///   - range: of the page, where its values are
    ///   - encoding: of these values
    init(_ bytes: [UInt8], _ range: Range<Int>, _ encoding: ValueEncoding) throws(ParquetError) {
        let end = range.upperBound
        switch encoding {
        case .plain: self = .plain(range)
        case .dictionary, .plainDictionary:
            guard let width = bytes[range].first else { throw .damaged("a page has no values") }
            self = .dictionary(try RunLengthDecoder(range.lowerBound + 1..<end, width: Int(width)))
        case .lengths:
            let lengths = try DeltaDecoder(bytes, range)
            self = .lengths(lengths, lengths.end..<end)
        case .prefixes:
            let prefixes = try DeltaDecoder(bytes, range)
            let lengths = try DeltaDecoder(bytes, prefixes.end..<end)
            self = .prefixes(prefixes, lengths, lengths.end..<end)
        }
    }

    /// Where the next value lies.
    mutating func next(in bytes: [UInt8]) throws(ParquetError) -> ValuePlace {
        switch self {
        case .plain(let rest):
            let value = try Self.plainValue(in: bytes, rest)
            self = .plain(value.upperBound..<rest.upperBound)
            return .page(value)
        case .dictionary(var indices):
            let index = try indices.next(in: bytes)
            self = .dictionary(indices)
            return .entry(index)
        case .lengths(var lengths, let rest):
            let value = try Self.value(of: try lengths.next(in: bytes), in: rest)
            self = .lengths(lengths, value.upperBound..<rest.upperBound)
            return .page(value)
        case .prefixes(var prefixes, var lengths, let rest):
            let prefix = try prefixes.next(in: bytes)
            let value = try Self.value(of: try lengths.next(in: bytes), in: rest)
            self = .prefixes(prefixes, lengths, value.upperBound..<rest.upperBound)
            return .continuation(prefix, value)
        }
    }

    /// The first value of a range of PLAIN ones.
    static func plainValue(in bytes: [UInt8], _ range: Range<Int>) throws(ParquetError) -> Range<Int> {
        guard range.count >= 4 else { throw .damaged("a page ends within its texts") }
        let start = range.lowerBound + 4, length = Int(bytes.bits(at: 8 * range.lowerBound, 32))
        return try value(of: length, in: start..<range.upperBound)
    }

    private static func value(of length: Int, in range: Range<Int>) throws(ParquetError) -> Range<Int> {
        guard length >= 0, length <= range.count else { throw .damaged("a page ends within its texts") }
        return range.lowerBound..<range.lowerBound + length
    }
}
