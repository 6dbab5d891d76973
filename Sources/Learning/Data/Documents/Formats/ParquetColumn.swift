import Compression
import Diagnostics
import Parquet

/// A column of a Parquet file, a document each row. A null is none.
struct ParquetColumn: DocumentReader {
    static let suffixes = [".parquet"]
    static let signatures = [FileSignature.parquet]

    /// The signature says it already.
    static func recognizes(_ file: DocumentFile) -> Bool { false }

    private var texts: ParquetTexts
    /// Bytes of the current text, and how many of them have been appended.
    private var count = 0
    private var appended = 0
    let otherField: String?

    /// - Throws: `data` if it is damaged, has no such column or stores it in a way that is not read
    init(_ file: DocumentFile) throws(Failure) {
        if let compression = file.compression {
            throw Failure(
                .data, "\(file.path) is a Parquet file that \(compression.name) has compressed, which is not read",
                advice: "decompress it: the columns in it are compressed already")
        }
        texts = try ParquetFile(file.path).texts(inFirstOf: file.textField.map { [$0] } ?? usualTextFields)
        otherField = file.textField == nil && texts.column != usualTextFields[0] ? texts.column : nil
    }

    /// The name of the column.
    var column: String { texts.column }

    var position: Int { texts.position }

    mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        while appended == count {
            guard try texts.next() else { return .endOfFile }
            (appended, count) = (0, texts.count)
        }
        let end = min(count, appended + limit)
        texts.append(appended..<end, to: &text)
        appended = end
        return appended == count ? .endOfDocument : .text
    }
}
