import Diagnostics
import Platform

/// A file that is one document.
struct WholeText: DocumentReader {
    /// Whether the first line is a JSON object all the same.
    let looksLikeJSONLines: Bool

    func forEachDocument(
        of file: MappedFile, _ body: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        guard file.count > 0 else { return }
        let bytes = file.bytes
        if let offset = bytes.indices.first(where: { bytes[$0] == 0 }) {
            throw Failure(
                .data, "\(file.path) is not text: byte \(offset) is NUL",
                advice: "unpack or convert it first, or leave it out of the corpus")
        }
        try body(bytes)
    }
}
