import Diagnostics
import Randomness

/// What tells the text of a dataset from another: its documents, and where each ends. The times and names of files have no
/// part in it.
package struct DataIdentity: Sendable, Equatable, CustomStringConvertible {
    package var tokens: Int
    /// Of the files that the tokens were made from.
    package var bytes: Int
    /// Sixteen hexadecimal digits.
    package var digest: String

    package init(tokens: Int, bytes: Int, digest: String) {
        self.tokens = tokens
        self.bytes = bytes
        self.digest = digest
    }

    /// Reads the table of documents, O(documents).
    package init(of dataset: TokenDataset) {
        let file = dataset.file
        var hash: UInt64 = 0
        func add(_ number: UInt64) { hash = mix(hash ^ number) }
        for index in 0..<file.documentCount {
            let (end, text) = file.document(index)
            add(end)
            add(text)
        }
        for segment in dataset.segments {
            add(UInt64(segment.lowerBound))
            add(UInt64(segment.upperBound))
        }
        self.init(
            tokens: dataset.count, bytes: file.metadata.sources.reduce(0) { $0 + $1.bytes }, digest: hexadecimal(hash))
    }

    /// From `description`; nil if it is none.
    package init?(_ text: String) {
        let words = text.split(separator: " ").map { String($0.filter { $0 != "," }) }
        guard words.count == 6, let tokens = Int(words[0]), let bytes = Int(words[2]) else { return nil }
        self.init(tokens: tokens, bytes: bytes, digest: words[5])
    }

    /// `TOKENS tokens, BYTES bytes, digest DIGEST`
    package var description: String { "\(tokens) tokens, \(bytes) bytes, digest \(digest)" }
}
