/// A page of values, decompressed, in the order of rows.
struct DataPage {
    /// Rows that have not been read.
    private(set) var left: Int
    /// What the values are in.
    let bytes: [UInt8]
    private let range: Range<Int>
    private let encoding: ValueEncoding
    /// Begun with the first value: a page of nothing but nulls need not have what values begin with.
    private var values: PageValues?
    /// Definition levels; nil for a column without nulls.
    private var levels: RunLengthDecoder?
    private let levelBytes: [UInt8]
    /// The definition level of a value that is not null.
    private let present: Int

    /// A page of version 1: levels and values in one, a length before the levels.
    /// - Parameters:
    ///   - bytes: the whole page, decompressed
    ///   - count: its rows
    ///   - encoding: the number of its values' encoding
    ///   - levelEncoding: the number of its definition levels' encoding
    ///   - present: the definition level of a value that is not null
    init(
        _ bytes: [UInt8], count: Int, encoding: Int, levelEncoding: Int, present: Int
    ) throws(ParquetError) {
        guard present > 0 else {
            try self.init(bytes, 0..<bytes.count, count: count, encoding: encoding, levels: [], present: 0)
            return
        }
        guard levelEncoding == 3 else {
            throw .unsupported(
                "the definition levels of a page are encoded by \(levelEncoding == 4 ? "BIT_PACKED" : "\(levelEncoding)"), "
                    + "which is not read")
        }
        let levels = try PageValues.plainValue(in: bytes, 0..<bytes.count)
        try self.init(
            bytes, levels.upperBound..<bytes.count, count: count, encoding: encoding, levels: Array(bytes[levels]),
            present: present)
    }

    /// - Parameters:
    ///   - bytes: what the values are in
    ///   - range: where in it they are
    ///   - count: rows of the page
    ///   - encoding: the number of the values' encoding
    ///   - levels: definition levels
    ///   - present: the definition level of a value that is not null
    init(
        _ bytes: [UInt8], _ range: Range<Int>, count: Int, encoding: Int, levels: [UInt8], present: Int
    ) throws(ParquetError) {
        self.bytes = bytes
        self.range = range
        left = count
        self.encoding = try ValueEncoding(encoding)
        self.present = present
        levelBytes = levels
        // As many bits as the highest level needs.
        let width = Int.bitWidth - present.leadingZeroBitCount
        self.levels = present == 0 ? nil : try RunLengthDecoder(0..<levels.count, width: width)
    }

    /// Where the value of the next row lies; nil for a null.
    mutating func next() throws(ParquetError) -> ValuePlace? {
        left -= 1
        if let level = try levels?.next(in: levelBytes), level != present {
            guard level < present else {
                throw .damaged("a page has the definition level \(level) of at most \(present)")
            }
            return nil
        }
        if values == nil { values = try PageValues(bytes, range, encoding) }
        return try values?.next(in: bytes)
    }
}
