/// A reversible naming of byte strings by whole numbers `0..<vocabularySize`.
package protocol Tokenizer: Sendable {
    /// At most 2^31 − 1: models take tokens as `Int32`.
    var vocabularySize: Int { get }
    /// The token that ends every document; it stands for no bytes.
    var endOfText: Int { get }
    /// The text from which `TokenizerCatalog` makes this tokenizer again.
    var serialized: String { get }
    /// A new encoder; encoders remember what they have met, tokenizers do not change.
    func makeEncoder() -> any TokenEncoder
    /// The last place in `text`, part of a document, where it may be cut: the tokens of what is before and of what is behind,
    /// encoded each by itself (`beginBehindCut`), are those of the whole, whatever surrounds `text`. Between 1 and the last byte; nil if there is none.
    func lastCut(in text: Span<UInt8>) -> Int?
    /// The bytes that `token` stands for; none for `endOfText` and for ids outside the vocabulary.
    func bytes(of token: Int) -> [UInt8]
    /// `bytes(of: token).count`, without making them.
    func byteCount(of token: Int) -> Int
}

/// Turns text into tokens, piece by piece.
package protocol TokenEncoder {
    /// Appends the tokens of the units at the beginning of `text`: of all if the text ends here, otherwise of those that are
    /// the same whatever follows.
    ///
    /// A unit is what a tokenizer encodes by itself: a byte, or a word with the space before it. A text in pieces, each of which
    /// begins with what the one before left, gives the same tokens as the whole.
    /// - Returns: how many bytes of `text` these units have
    mutating func encode(_ text: Span<UInt8>, isEnd: Bool, into tokens: inout [UInt32]) -> Int
    /// Prepares for a text that is not the beginning of its document but what is behind a cut (`Tokenizer.lastCut`).
    mutating func beginBehindCut()
}

extension TokenEncoder {
    mutating func beginBehindCut() {}
}

extension Tokenizer {
    /// The tokens of `text`; `decode` gives the same bytes back, whether they are valid UTF-8 or not.
    package func encode(_ text: [UInt8]) -> [UInt32] {
        var encoder = makeEncoder()
        var tokens: [UInt32] = []
        _ = encoder.encode(text.span, isEnd: true, into: &tokens)
        return tokens
    }

    package func encode(_ text: String) -> [UInt32] { encode(Array(text.utf8)) }

    package func decode(_ tokens: some Sequence<Int>) -> [UInt8] {
        tokens.flatMap { bytes(of: $0) }
    }
}
