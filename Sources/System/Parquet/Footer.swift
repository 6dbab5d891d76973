import Compression

/// The metadata at the end of a Parquet file (`FileMetaData` of parquet.thrift). Row groups are decoded for one column only.
struct Footer {
    let schema: Schema
    private let bytes: [UInt8]
    /// Where in `bytes` the list of row groups is.
    private let rowGroups: Int

    /// - Parameter bytes: the metadata, and nothing else
    init(_ bytes: [UInt8]) throws(ParquetError) {
        var reader = ThriftReader(bytes), last = 0, schema: Schema?, rowGroups: Int?
        while let field = try reader.field(after: &last) {
            switch (field.id, field.kind) {
            case (2, .list): schema = try Schema(&reader)
            case (4, .list):
                rowGroups = reader.place
                try reader.skip(.list)
            case (8, .structure): throw Self.encrypted
            default: try reader.skip(field.kind)
            }
        }
        guard let schema, let rowGroups else { throw .damaged("its metadata lack a schema or row groups") }
        (self.bytes, self.schema, self.rowGroups) = (bytes, schema, rowGroups)
    }

    static let encrypted = ParquetError.unsupported(
        "it is encrypted", advice: "decrypt it first, with the software that has its keys")

    /// The parts of a column in all row groups.
    /// - Parameters:
    ///   - column: its place in the schema
    ///   - end: where in the file pages must end
    /// - Throws: what is wrong with which row group
    func chunks(of column: Int, before end: Int) throws(ParquetError) -> [ColumnChunk] {
        var reader = ThriftReader(bytes, from: rowGroups), chunks: [ColumnChunk] = []
        let (count, kind) = try reader.list()
        guard count == 0 || kind == .structure else { throw .damaged("its row groups are none") }
        for group in 0..<count {
            do throws(ParquetError) {
                let chunk = try rowGroup(&reader, column)
                try chunk.check(before: end)
                chunks.append(chunk)
            } catch {
                throw ParquetError(complaint: "row group \(group): \(error.complaint)", advice: error.advice)
            }
        }
        return chunks
    }

    private func rowGroup(_ reader: inout ThriftReader, _ column: Int) throws(ParquetError) -> ColumnChunk {
        var last = 0, chunk: ColumnChunk?, rows: Int?
        while let field = try reader.field(after: &last) {
            switch (field.id, field.kind) {
            case (1, .list):
                let (count, kind) = try reader.list()
                guard count == schema.columns.count, kind == .structure else {
                    throw .damaged("it has \(count) columns, and the schema \(schema.columns.count)")
                }
                for index in 0..<count {
                    if index == column { chunk = try ColumnChunk(&reader) } else { try reader.skip(.structure) }
                }
            case (3, .int64): rows = try reader.integer()
            default: try reader.skip(field.kind)
            }
        }
        guard let chunk, let rows else { throw .damaged("its metadata lack columns or rows") }
        guard chunk.count == rows, chunk.path == schema.columns[column].path else {
            throw .damaged("its column `\(chunk.path)` with \(chunk.count) values is not that of \(rows) rows")
        }
        return chunk
    }
}

/// The values of a column in one row group (`ColumnChunk` and `ColumnMetaData`).
struct ColumnChunk {
    private(set) var path = ""
    /// Values, null or not.
    private(set) var count = 0
    /// Where its first page begins in the file.
    private(set) var start = 0
    private var codec = 0
    private var encodings: [Int] = []
    private var compressedSize = 0

    /// - Parameter reader: at a `ColumnChunk`, which it leaves
    fileprivate init(_ reader: inout ThriftReader) throws(ParquetError) {
        var last = 0, hasMetadata = false
        while let field = try reader.field(after: &last) {
            switch (field.id, field.kind) {
            case (1, .binary):
                let file = try reader.text()
                guard file.isEmpty else { throw .unsupported("its values are in another file, \(file)") }
            case (3, .structure):
                try readMetadata(&reader)
                hasMetadata = true
            case (8, .structure), (9, .binary): throw Footer.encrypted
            default: try reader.skip(field.kind)
            }
        }
        guard hasMetadata else { throw .damaged("a column has no metadata") }
    }

    private mutating func readMetadata(_ reader: inout ThriftReader) throws(ParquetError) {
        var last = 0, dataStart: Int?, dictionaryStart: Int?, names: [String] = [], required = Set<Int>()
        while let field = try reader.field(after: &last) {
            required.insert(field.id)
            switch (field.id, field.kind) {
            case (2, .list): encodings = try reader.integers()
            case (3, .list):
                let (count, kind) = try reader.list()
                guard kind == .binary else { throw .damaged("a column has no name") }
                for _ in 0..<count { names.append(try reader.text()) }
            case (4, .int32): codec = try reader.integer()
            case (5, .int64): count = try reader.integer()
            case (7, .int64): compressedSize = try reader.integer()
            case (9, .int64): dataStart = try reader.integer()
            case (11, .int64): dictionaryStart = try reader.integer()
            default: try reader.skip(field.kind)
            }
        }
        guard required.isSuperset(of: [2, 3, 4, 5, 7, 9]), let dataStart else {
            throw .damaged("the metadata of a column are not complete")
        }
        path = names.joined(separator: ".")
        // Some writers put 0 for a dictionary that is not there.
        start = dictionaryStart.map { $0 > 0 ? min($0, dataStart) : dataStart } ?? dataStart
    }

    /// - Throws: what is not read, and what cannot be
    fileprivate func check(before end: Int) throws(ParquetError) {
        _ = try compression()
        for encoding in encodings { try ValueEncoding.require(encoding) }
        guard count >= 0, compressedSize >= 0 else { throw .damaged("a column has a size below 0") }
        guard count == 0 || start >= 4 && start < end && compressedSize <= end - start else {
            throw .damaged("its column `\(path)` has \(compressedSize) bytes at \(start), and pages end at \(end)")
        }
    }

    /// How its pages are compressed; nil if they are not.
    func compression() throws(ParquetError) -> PageCompression? {
        let others = [3: "LZO", 4: "Brotli", 5: "LZ4", 7: "LZ4"]
        switch codec {
        case 0: return nil
        case 1: return .snappy
        case 2: return .gzip
        case 6: return .zstandard
        default:
            throw .unsupported(
                "its column `\(path)` is compressed by \(others[codec] ?? "an unknown codec, \(codec)"), which is not read"
            )
        }
    }
}
