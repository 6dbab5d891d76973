import Compression
package import Diagnostics
import Platform

/// The texts of a column of a Parquet file, row after row, with a page and a dictionary in memory.
package struct ParquetTexts {
    /// In bytes: what a document takes is in memory several times.
    private static let longestText = 1 << 30

    private let file: RegularFile
    private let definitionLevel: Int
    private let chunks: [ColumnChunk]
    private let end: Int
    /// The name of the column.
    package let column: String

    /// The number of the next row group.
    private var group = 0
    private var pages: PageReader?
    /// Rows of the row group that are in pages that have not been read.
    private var unread = 0
    private var page: DataPage?
    private var dictionary = Dictionary()
    private var limit: ExpansionLimit

    /// Where the current text is.
    private var place = ValuePlace.page(0..<0)
    /// The current text of a page in which texts continue each other.
    private var continued: [UInt8] = []

    init(_ file: RegularFile, _ column: Schema.Column, _ chunks: [ColumnChunk], before end: Int) {
        (self.file, self.chunks, self.end) = (file, chunks, end)
        self.column = column.path
        definitionLevel = column.definitionLevel
        limit = ExpansionLimit(of: file.path, stored: file.size)
    }

    /// Where in the file the last page that was read ends.
    package var position: Int { pages?.place ?? 0 }

    /// Bytes of the current text.
    package var count: Int {
        switch place {
        case .page(let range): range.count
        case .entry(let index): dictionary.entries[index].count
        case .continuation: continued.count
        }
    }

    /// Appends the bytes `range` of the current text to `bytes`.
    package func append(_ range: Range<Int>, to bytes: inout [UInt8]) {
        switch place {
        case .page(let all):
            guard let page else { return }
            bytes.append(contentsOf: page.bytes[all.lowerBound + range.lowerBound..<all.lowerBound + range.upperBound])
        case .entry(let index):
            let start = dictionary.entries[index].lowerBound
            bytes.append(contentsOf: dictionary.bytes[start + range.lowerBound..<start + range.upperBound])
        case .continuation: bytes.append(contentsOf: continued[range])
        }
    }

    /// Goes to the next row that is not null. Before the first call there is no text.
    /// - Returns: false at the end
    /// - Throws: `data`, naming the row group, for what is damaged or not read
    package mutating func next() throws(Failure) -> Bool {
        while try beginPage() {
            while let left = page?.left, left > 0 {
                do throws(ParquetError) {
                    guard let found = try page?.next() else { continue }
                    try take(found)
                } catch {
                    throw error.failure(at: name)
                }
                try limit.add(count)
                return true
            }
        }
        return false
    }

    /// - Returns: false if there are no more pages
    private mutating func beginPage() throws(Failure) -> Bool {
        if let page, page.left > 0 { return true }
        while unread == 0 {
            guard group < chunks.count else { return false }
            group += 1
            unread = chunks[group - 1].count
            dictionary = Dictionary()
            do throws(ParquetError) {
                pages = try PageReader(file, chunks[group - 1], present: definitionLevel, before: end)
            } catch {
                throw error.failure(at: name)
            }
        }
        page = nil
        let name = name
        guard let found = try pages?.next(name) else { return false }
        do throws(ParquetError) {
            try take(found)
        } catch {
            throw error.failure(at: name)
        }
        // Rows without a text take time, too.
        try limit.add(page?.left ?? 0)
        return true
    }

    private mutating func take(_ found: PageReader.Page) throws(ParquetError) {
        switch found {
        case .other: break
        case .dictionary(let bytes, let count):
            guard dictionary.entries.isEmpty else { throw .damaged("it has two dictionaries") }
            dictionary = try Dictionary(bytes, count: count)
        case .data(let data):
            guard data.left <= unread else {
                throw .damaged("a page has \(data.left) rows, and \(unread) are left")
            }
            unread -= data.left
            continued.removeAll(keepingCapacity: true)
            page = data
        }
    }

    private mutating func take(_ found: ValuePlace) throws(ParquetError) {
        if case .entry(let index) = found {
            guard index >= 0, index < dictionary.entries.count else {
                throw .damaged("a text is number \(index) of a dictionary of \(dictionary.entries.count)")
            }
        }
        if case .continuation(let prefix, let range) = found {
            guard prefix >= 0, prefix <= continued.count else {
                throw .damaged("a text repeats \(prefix) bytes of one of \(continued.count)")
            }
            try requireLength(prefix + range.count)
            continued.removeLast(continued.count - prefix)
            if let page { continued.append(contentsOf: page.bytes[range]) }
        }
        place = found
        try requireLength(count)
    }

    private func requireLength(_ count: Int) throws(ParquetError) {
        guard count <= Self.longestText else {
            throw .unsupported(
                "a text has \(byteCount(count)), and at most \(byteCount(Self.longestText)) are read",
                advice: "divide it into several rows")
        }
    }

    /// Names file, row group and column for messages.
    private var name: String { "\(file.path): row group \(group - 1), column `\(column)`" }
}

extension ParquetTexts {
    /// The values that others are indices of.
    private struct Dictionary {
        var bytes: [UInt8] = []
        var entries: [Range<Int>] = []

        init() {}

        /// - Parameters:
        ///   - bytes: PLAIN values
        ///   - count: how many, as the page says
        init(_ bytes: [UInt8], count: Int) throws(ParquetError) {
            guard count <= bytes.count / 4 else {
                throw .damaged("a dictionary of \(bytes.count) bytes says that it has \(count) texts")
            }
            self.bytes = bytes
            entries.reserveCapacity(count)
            var rest = 0..<bytes.count
            for _ in 0..<count {
                let value = try PageValues.plainValue(in: bytes, rest)
                entries.append(value)
                rest = value.upperBound..<bytes.count
            }
        }
    }
}
