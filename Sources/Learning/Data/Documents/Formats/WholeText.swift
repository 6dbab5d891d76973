import Diagnostics

/// A file that is one document.
struct WholeText: DocumentReader {
    static let suffixes = [".txt", ".md", ".rst", ".text"]

    /// Every file is text as long as it is nothing else.
    static func recognizes(_ file: DocumentFile) -> Bool { true }

    private let path: String
    private var bytes: DocumentBytes
    /// Bytes of the text that have been read.
    private var count = 0
    private var isAtEnd = false

    init(_ file: DocumentFile) throws(Failure) {
        path = file.path
        bytes = try file.contents()
    }

    var position: Int { bytes.position }

    mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        guard !isAtEnd else { return .endOfFile }
        let start = text.count
        while text.count < start + limit, !isAtEnd {
            isAtEnd = try bytes.read(upTo: start + limit - text.count, into: &text) == 0
        }
        if let index = text[start...].firstIndex(of: 0) {
            throw Failure(
                .data, "\(path) is not text: byte \(count + index - start) is NUL",
                advice: "unpack or convert it first, or leave it out of the corpus")
        }
        count += text.count - start
        return isAtEnd ? .endOfDocument : .text
    }
}
