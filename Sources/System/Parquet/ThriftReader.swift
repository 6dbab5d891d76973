/// Reads values in Thrift's compact protocol, in which Parquet has its metadata (thrift-compact-protocol.md of Apache Thrift).
/// Fields of no interest are skipped.
struct ThriftReader {
    /// The types of fields and elements that are read; the others are only skipped.
    enum Kind: UInt8 {
        case yes = 1
        case no, int8, int16, int32, int64, double, binary, list, set, map, structure, uuid
    }

    struct Field {
        var id: Int
        var kind: Kind
    }

    /// Structures in each other. Parquet's have at most eight.
    private static let deepest = 32

    let bytes: [UInt8]
    private(set) var place: Int
    private let end: Int

    init(_ bytes: [UInt8], from place: Int = 0) {
        self.bytes = bytes
        self.place = place
        end = bytes.count
    }

    private static var endOfInput: ParquetError {
        ParquetError(
            complaint: "its metadata end too early", advice: "it is damaged: copy it again", isEndOfInput: true)
    }

    private mutating func byte() throws(ParquetError) -> UInt8 {
        guard place < end else { throw Self.endOfInput }
        defer { place += 1 }
        return bytes[place]
    }

    private mutating func skip(_ count: Int) throws(ParquetError) {
        guard count <= end - place else { throw Self.endOfInput }
        place += count
    }

    private mutating func unsigned() throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            let byte = try byte()
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        throw .damaged("its metadata hold a number of more than 64 bits")
    }

    private mutating func count() throws(ParquetError) -> Int {
        let count = try unsigned()
        // An element has at least one byte.
        guard count <= UInt64(end - place) else { throw Self.endOfInput }
        return Int(count)
    }

    /// A field of the structure in which the reader stands; nil at its end.
    /// - Parameter last: the number of the field before, 0 before the first
    mutating func field(after last: inout Int) throws(ParquetError) -> Field? {
        let header = try byte()
        guard header != 0 else { return nil }
        if header >> 4 == 0 { last = try integer() } else { last &+= Int(header >> 4) }
        return Field(id: last, kind: try kind(header & 0x0F))
    }

    private func kind(_ number: UInt8) throws(ParquetError) -> Kind {
        guard let kind = Kind(rawValue: number) else {
            throw .damaged("its metadata hold a value of the unknown type \(number)")
        }
        return kind
    }

    /// An integer of any width.
    mutating func integer() throws(ParquetError) -> Int {
        let value = try unsigned()
        return Int(bitPattern: UInt(value >> 1)) ^ -Int(value & 1)
    }

    mutating func text() throws(ParquetError) -> String {
        let length = try count()
        defer { place += length }
        return String(decoding: bytes[place..<place + length], as: UTF8.self)
    }

    /// The head of a list.
    /// - Returns: how many elements follow, at most as many as there are bytes, and their type
    mutating func list() throws(ParquetError) -> (count: Int, kind: Kind) {
        let header = try byte(), short = Int(header >> 4)
        let count = short == 15 ? try count() : short
        return (count, try kind(header & 0x0F))
    }

    mutating func integers() throws(ParquetError) -> [Int] {
        let (count, kind) = try list()
        guard [.int8, .int16, .int32, .int64].contains(kind) else { throw .damaged("its metadata hold a wrong list") }
        var values: [Int] = []
        for _ in 0..<count { values.append(try integer()) }
        return values
    }

    mutating func skip(_ kind: Kind, depth: Int = 0) throws(ParquetError) {
        guard depth < Self.deepest else { throw .damaged("its metadata are nested too deeply") }
        switch kind {
        case .yes, .no: break
        case .int8: try skip(1)
        case .int16, .int32, .int64: _ = try unsigned()
        case .double: try skip(8)
        case .uuid: try skip(16)
        case .binary: try skip(try count())
        case .list, .set:
            let (count, kind) = try list()
            for _ in 0..<count { try skip(element: kind, depth: depth + 1) }
        case .map:
            let count = try count()
            guard count > 0 else { return }
            let kinds = try byte(), (key, value) = (try self.kind(kinds >> 4), try self.kind(kinds & 0x0F))
            for _ in 0..<count {
                try skip(element: key, depth: depth + 1)
                try skip(element: value, depth: depth + 1)
            }
        case .structure:
            var last = 0
            while let field = try field(after: &last) { try skip(field.kind, depth: depth + 1) }
        }
    }

    /// A truth value takes a byte as an element and none as a field.
    private mutating func skip(element kind: Kind, depth: Int) throws(ParquetError) {
        if kind == .yes || kind == .no { try skip(1) } else { try skip(kind, depth: depth) }
    }
}
