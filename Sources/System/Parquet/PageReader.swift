import Compression
import Diagnostics
import Platform

/// Reads the pages of one column of one row group, one of them in memory at a time.
struct PageReader {
    /// Bytes that most headers have room in. Statistics make some longer.
    private static let usualHeader = 1 << 12
    private static let largestHeader = 1 << 26

    private let file: RegularFile
    /// Where pages must end.
    private let end: Int
    private let compression: PageCompression?
    private let decompressor: PageDecompressor?
    /// Where the next page begins.
    private(set) var place: Int
    /// The definition level of a value that is not null.
    private let present: Int

    enum Page {
        case data(DataPage)
        /// PLAIN values, as many as are said.
        case dictionary([UInt8], count: Int)
        case other
    }

    /// - Parameters:
    ///   - file: the whole file
    ///   - chunk: the part of it that is read
    ///   - present: the definition level of a value that is not null
    ///   - end: where pages must end
    init(_ file: RegularFile, _ chunk: ColumnChunk, present: Int, before end: Int) throws(ParquetError) {
        (self.file, self.end, self.present, place) = (file, end, present, chunk.start)
        let compression = try chunk.compression()
        self.compression = compression
        do throws(DecompressionError) {
            decompressor = if let compression { try PageDecompressor(compression) } else { nil }
        } catch {
            throw ParquetError(error)
        }
    }

    /// - Parameter name: of what is read, for messages
    mutating func next(_ name: String) throws(Failure) -> Page {
        let header = try header(name)
        let stored = try file.bytes(from: place, to: place + header.storedSize)
        place += header.storedSize
        do throws(ParquetError) {
            if let checksum = header.checksum, cyclicRedundancyCheck(of: stored.span) != checksum {
                throw .damaged("a page does not have the checksum that its header gives")
            }
            return try page(header, stored)
        } catch {
            throw error.failure(at: name)
        }
    }

    private mutating func header(_ name: String) throws(Failure) -> PageHeader {
        var room = Self.usualHeader
        while true {
            let bytes = try file.bytes(from: place, to: min(end, place + room))
            do throws(ParquetError) {
                var reader = ThriftReader(bytes)
                let header = try PageHeader(&reader)
                guard header.storedSize <= end - place - reader.place else {
                    throw .damaged("a page has \(header.storedSize) bytes, more than are left of the file")
                }
                place += reader.place
                return header
            } catch {
                guard error.isEndOfInput, bytes.count == room, room < Self.largestHeader else {
                    throw error.failure(at: name)
                }
                room *= 8
            }
        }
    }

    private func page(_ header: PageHeader, _ stored: [UInt8]) throws(ParquetError) -> Page {
        switch header.contents {
        case .other: return .other
        case .dictionary(let count, let encoding):
            guard [0, 2].contains(encoding) else { throw .damaged("a dictionary has the encoding \(encoding)") }
            return .dictionary(try decompress(stored, from: 0, to: header.size), count: count)
        case .data(let count, let encoding, let levels):
            return .data(
                try DataPage(
                    decompress(stored, from: 0, to: header.size), count: count, encoding: encoding,
                    levelEncoding: levels,
                    present: present))
        case .dataV2(let count, let encoding, let definitionBytes, let repetitionBytes, let isCompressed):
            guard definitionBytes >= 0, repetitionBytes >= 0, definitionBytes <= stored.count,
                repetitionBytes <= stored.count - definitionBytes
            else { throw .damaged("a page ends within its levels") }
            let start = repetitionBytes + definitionBytes
            guard start <= header.size else { throw .damaged("a page has more levels than bytes") }
            let values =
                isCompressed ? try decompress(stored, from: start, to: header.size - start) : Array(stored[start...])
            return .data(
                try DataPage(
                    values, 0..<values.count, count: count, encoding: encoding,
                    levels: Array(stored[repetitionBytes..<start]), present: present))
        }
    }

    /// - Parameters:
    ///   - stored: a page as it is stored
    ///   - start: where in it the compressed bytes begin
    ///   - size: what these must become
    private func decompress(_ stored: [UInt8], from start: Int, to size: Int) throws(ParquetError) -> [UInt8] {
        guard let decompressor else {
            guard stored.count - start == size else {
                throw .damaged("a page has \(stored.count - start) bytes, not the \(size) that its header gives")
            }
            return start == 0 ? stored : Array(stored[start...])
        }
        // Of a page without values some writers store no bytes at all.
        if start == stored.count, size == 0 { return [] }
        var page: [UInt8] = []
        let input = stored.span
        do throws(DecompressionError) {
            try decompressor.decompress(input.extracting(start..<stored.count), to: size, into: &page)
        } catch {
            throw ParquetError(error)
        }
        return page
    }
}
