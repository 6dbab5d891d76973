/// Thrift's compact protocol, written, for metadata that no library writes.
struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    private var last = 0

    static func unsigned(_ value: UInt64) -> [UInt8] {
        var value = value, bytes: [UInt8] = []
        while value > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    static func signed(_ value: Int) -> [UInt8] { unsigned(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63)))) }

    /// A field of the type `kind` whose value has these bytes.
    mutating func field(_ id: Int, _ kind: UInt8, _ value: [UInt8]) {
        bytes += (1...15).contains(id - last) ? [UInt8(id - last) << 4 | kind] : [kind] + Self.signed(id)
        bytes += value
        last = id
    }

    mutating func int32(_ id: Int, _ value: Int) { field(id, 5, Self.signed(value)) }

    mutating func int64(_ id: Int, _ value: Int) { field(id, 6, Self.signed(value)) }

    mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) { field(id, 12, Self.structure(body)) }

    mutating func list(_ id: Int, _ kind: UInt8, _ elements: [[UInt8]], claiming count: Int? = nil) {
        field(id, 9, [0xF0 | kind] + Self.unsigned(UInt64(count ?? elements.count)) + Array(elements.joined()))
    }

    static func text(_ text: String) -> [UInt8] { unsigned(UInt64(text.utf8.count)) + Array(text.utf8) }

    static func structure(_ body: (inout ThriftWriter) -> Void) -> [UInt8] {
        var writer = ThriftWriter()
        body(&writer)
        return writer.bytes + [0]
    }
}

/// A Parquet file of one column `text` in one row group, whose every number can be another than the true one.
struct MadeFile {
    var count = 1
    var rows: Int?
    var codec = 0
    var start = 4
    var storedInMetadata: Int?
    /// Of the schema.
    var repetition = 0
    /// Headers and pages.
    var pages: [[UInt8]] = []
    var schema: [[UInt8]]?
    var groups: Int?

    /// - Parameters:
    ///   - contents: the page as it is stored
    ///   - count: of its values
    ///   - size: what it says that it has when it is decompressed
    ///   - stored: what it says that it has
    static func page(
        _ contents: [UInt8], count: Int = 1, encoding: Int = 0, size: Int? = nil, stored: Int? = nil,
        isDictionary: Bool = false
    ) -> [UInt8] {
        let header = ThriftWriter.structure { header in
            header.int32(1, isDictionary ? 2 : 0)
            header.int32(2, size ?? contents.count)
            header.int32(3, stored ?? contents.count)
            header.structure(isDictionary ? 7 : 5) { data in
                data.int32(1, count)
                data.int32(2, encoding)
                data.int32(3, 3)
                data.int32(4, 3)
            }
        }
        return header + contents
    }

    /// PLAIN values.
    static func plain(_ texts: [String]) -> [UInt8] {
        texts.flatMap { text in
            (0..<4).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) } + Array(text.utf8)
        }
    }

    var bytes: [UInt8] {
        let body = Array(pages.joined())
        let root = ThriftWriter.structure {
            $0.field(4, 8, ThriftWriter.text("schema")); $0.int32(5, 1)
        }
        let leaf = ThriftWriter.structure {
            $0.int32(1, 6)
            $0.int32(3, repetition)
            $0.field(4, 8, ThriftWriter.text("text"))
        }
        let column = ThriftWriter.structure { column in
            column.int64(2, 0)
            column.structure(3) { metadata in
                metadata.int32(1, 6)
                metadata.list(2, 5, [ThriftWriter.signed(0)])
                metadata.list(3, 8, [ThriftWriter.text("text")])
                metadata.int32(4, codec)
                metadata.int64(5, count)
                metadata.int64(6, body.count)
                metadata.int64(7, storedInMetadata ?? body.count)
                metadata.int64(9, start)
            }
        }
        let group = ThriftWriter.structure {
            $0.list(1, 12, [column])
            $0.int64(2, body.count)
            $0.int64(3, rows ?? count)
        }
        let footer = ThriftWriter.structure {
            $0.int32(1, 2)
            $0.list(2, 12, schema ?? [root, leaf])
            $0.int64(3, rows ?? count)
            $0.list(4, 12, [group], claiming: groups)
        }
        let length = (0..<4).map { UInt8(truncatingIfNeeded: footer.count >> (8 * $0)) }
        return Array("PAR1".utf8) + body + footer + length + Array("PAR1".utf8)
    }
}
