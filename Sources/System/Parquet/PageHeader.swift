/// What stands before a page (`PageHeader` of parquet.thrift).
struct PageHeader {
    enum Contents {
        /// Values, and the numbers of the encodings of values and of definition levels.
        case data(count: Int, encoding: Int, levels: Int)
        /// As above; levels of which so many bytes stand before values that may not be compressed.
        case dataV2(count: Int, encoding: Int, definitionBytes: Int, repetitionBytes: Int, isCompressed: Bool)
        case dictionary(count: Int, encoding: Int)
        /// An index, or what is not known yet: passed over.
        case other
    }

    private(set) var contents = Contents.other
    /// Bytes of the page, behind the header, as it is stored and when it is decompressed.
    private(set) var storedSize = -1
    private(set) var size = -1
    /// The CRC-32 of the stored bytes.
    private(set) var checksum: UInt32?

    /// - Parameter reader: at a header, which it leaves
    init(_ reader: inout ThriftReader) throws(ParquetError) {
        var last = 0, kind = -1
        while let field = try reader.field(after: &last) {
            switch (field.id, field.kind) {
            case (1, .int32): kind = try reader.integer()
            case (2, .int32): size = try reader.integer()
            case (3, .int32): storedSize = try reader.integer()
            case (4, .int32): checksum = UInt32(truncatingIfNeeded: try reader.integer())
            case (5, .structure) where kind == 0:
                let numbers = try Self.numbers(&reader)
                contents = .data(count: numbers[1], encoding: numbers[2], levels: numbers[3])
            case (7, .structure) where kind == 2:
                let numbers = try Self.numbers(&reader)
                contents = .dictionary(count: numbers[1], encoding: numbers[2])
            case (8, .structure) where kind == 3:
                let numbers = try Self.numbers(&reader)
                contents = .dataV2(
                    count: numbers[1], encoding: numbers[4], definitionBytes: numbers[5], repetitionBytes: numbers[6],
                    isCompressed: numbers[7] != 0)
            default: try reader.skip(field.kind)
            }
        }
        let limit = 0...Int(Int32.max)
        guard kind >= 0, limit.contains(size), limit.contains(storedSize) else {
            throw .damaged("the header of a page has no kind or no sizes")
        }
        if case .other = contents, [0, 2, 3].contains(kind) { throw .damaged("the header of a page is not complete") }
    }

    /// The fields of a header that are numbers, by their own number; -1 for those that are missing, or whether a page is compressed.
    private static func numbers(_ reader: inout ThriftReader) throws(ParquetError) -> [Int] {
        var last = 0, numbers = [Int](repeating: -1, count: 9)
        while let field = try reader.field(after: &last) {
            guard (1...7).contains(field.id) else {
                try reader.skip(field.kind)
                continue
            }
            switch field.kind {
            case .int32: numbers[field.id] = try reader.integer()
            case .no: numbers[field.id] = 0
            default: try reader.skip(field.kind)
            }
        }
        guard numbers[1] >= 0 else { throw .damaged("the header of a page does not say how many values it has") }
        return numbers
    }
}
