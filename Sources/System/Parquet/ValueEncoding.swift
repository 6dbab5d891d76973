/// The encodings of values that are read, by their numbers in parquet.thrift.
enum ValueEncoding: Int {
    case plain = 0
    /// Indices into a dictionary under their first name, of pages of version 1.
    case plainDictionary = 2
    case lengths = 6
    case prefixes = 7
    case dictionary = 8

    /// RLE and BIT_PACKED, which only levels have in a column of byte arrays.
    private static let ofLevels: Set = [3, 4]

    /// - Throws: the name of an encoding that is not read
    static func require(_ number: Int) throws(ParquetError) {
        if !ofLevels.contains(number) { _ = try ValueEncoding(number) }
    }

    init(_ number: Int) throws(ParquetError) {
        guard let encoding = ValueEncoding(rawValue: number) else {
            let others = [3: "RLE", 4: "BIT_PACKED", 5: "DELTA_BINARY_PACKED", 9: "BYTE_STREAM_SPLIT"]
            throw .unsupported(
                "its texts are encoded by \(others[number] ?? "an unknown encoding, \(number)"), which is not read",
                advice: ParquetError.rewrite("use_dictionary=False"))
        }
        self = encoding
    }
}
