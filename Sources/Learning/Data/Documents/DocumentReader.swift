import Diagnostics

/// What a reader has appended.
enum DocumentPiece {
    /// Text of a document that goes on.
    case text
    /// The last text of a document, which may be empty.
    case endOfDocument
    /// Nothing: there are no more documents.
    case endOfFile
}

/// Takes the documents out of one format of files, piece by piece, so that a document may be larger than memory.
///
/// A format is one type: how its files are told, and how they are read. docs/extending.md says how to add one.
protocol DocumentReader: SendableMetatype {
    /// How names of files end that are of this format for certain, in lower case. A directory is read for them.
    static var suffixes: [String] { get }
    /// How names end that files of other kinds have as well.
    static var sharedSuffixes: [SharedSuffix] { get }
    /// The signatures that this format reads; a file with one that no format reads is refused.
    static var signatures: [FileSignature] { get }
    /// Whether the contents alone say that the file is of this format.
    /// - Throws: `data` for a compressed file that is damaged
    static func recognizes(_ file: DocumentFile) throws(Failure) -> Bool
    /// What is wrong with a file of a shared suffix that is not recognized.
    static func refusal(of file: DocumentFile) throws(Failure) -> Failure

    /// Looks at the beginning of a file.
    /// - Throws: `data` for a file whose beginning shows that it cannot be read
    init(_ file: DocumentFile) throws(Failure)

    /// The field that holds the texts, if it was not named and is not the usual one.
    var otherField: String? { get }
    /// How many bytes of the file, as it is stored, have been read.
    var position: Int { get }

    /// Appends at most `limit` bytes of the current document to `text`, without a byte that is not its text.
    /// - Throws: `data` naming line or byte for what is not of this format
    mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece
}

/// A suffix that does not tell the format: the contents must.
struct SharedSuffix {
    /// In lower case.
    var suffix: String
    /// What files of this name lack that a directory is not read for, after their suffix: "without lines".
    var otherwise: String
}

extension DocumentReader {
    static var sharedSuffixes: [SharedSuffix] { [] }
    static var signatures: [FileSignature] { [] }
    var otherField: String? { nil }

    static func refusal(of file: DocumentFile) throws(Failure) -> Failure {
        Failure(.data, "\(file.path) is not what its name says", advice: "rename it, or leave it out of the corpus")
    }
}

extension TextFile {
    /// Bytes that are read at once.
    private static let pieceSize = 1 << 20

    /// The bytes of its texts, or more than `most` if they are more: of one that is compressed or packed what it
    /// becomes, of another one its own.
    /// - Throws: as `DocumentCatalog.reader` and `DocumentReader.read`
    func bytesOfText(upTo most: Int) throws(Failure) -> Int {
        guard !holdsTokens, case let file = try DocumentFile(self), file.isPacked else { return bytes }
        var reader = try DocumentCatalog.reader(of: file), text: [UInt8] = [], total = 0
        while total <= most, try reader.read(upTo: Self.pieceSize, into: &text) != .endOfFile {
            total += text.count
            text.removeAll(keepingCapacity: true)
        }
        return total
    }
}
