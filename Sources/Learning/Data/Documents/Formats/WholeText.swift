import Diagnostics
import Platform

/// A file that is one document.
struct WholeText: DocumentReader {
    static let suffixes = [".txt", ".md", ".rst", ".text"]

    /// Every file is text as long as it is nothing else.
    static func recognizes(_ file: MappedFile) -> Bool { true }

    private let file: MappedFile
    private var position = 0

    init(_ file: MappedFile) { self.file = file }

    mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        guard position < file.count else { return .endOfFile }
        let file = file
        let end = min(file.count, position + limit), piece = file.bytes.extracting(position..<end)
        if let offset = piece.indices.first(where: { piece[$0] == 0 }) {
            throw Failure(
                .data, "\(file.path) is not text: byte \(position + offset) is NUL",
                advice: "unpack or convert it first, or leave it out of the corpus")
        }
        unsafe piece.withUnsafeBufferPointer { unsafe text.append(contentsOf: $0) }
        position = end
        return position == file.count ? .endOfDocument : .text
    }
}
