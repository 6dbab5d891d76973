package import Diagnostics
import Platform
package import Tokenizers

/// The tokenizer whose `serialized` form is `text`; a file of GPT-2's merges is one.
/// - Parameter source: where the text comes from, for messages
package func readTokenizer(_ text: [UInt8], from source: String) throws(Failure) -> any Tokenizer {
    guard !text.isEmpty else {
        throw Failure(.data, "\(source) is empty: expected a file of merges", advice: "or set data.tokenizer to `byte`")
    }
    if text.elementsEqual(ByteTokenizer.serialized.utf8) { return ByteTokenizer() }
    return try BytePairTokenizer(mergesFile: text, from: source)
}

/// The tokenizer in a file of merges or in a token file. Lines may end in a carriage return and a line feed, and a byte
/// order mark may stand first.
/// - Throws: `data` if it is no file of merges, or holds none
package func readTokenizer(inFile path: String) throws(Failure) -> any Tokenizer {
    if TokenFile.isTokenFile(path) { return try TokenFile(path).tokenizer }
    let file = try MappedFile(path)
    let tokenizer = try readTokenizer(withPlainLineEnds(file.bytes.array), from: path)
    guard !(tokenizer is BytePairTokenizer) || tokenizer.vocabularySize > 257 else {
        throw Failure(
            .data, "\(path) holds no merges",
            advice: "a file of merges has two tokens with a space between on every line; for bytes alone set the "
                + "tokenizer to `byte`")
    }
    return tokenizer
}

/// Without a byte order mark, and with a line feed alone at the end of every line.
private func withPlainLineEnds(_ text: [UInt8]) -> [UInt8] {
    let carriageReturn = UInt8(ascii: "\r"), feed = UInt8(ascii: "\n")
    let start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return (start..<text.count).compactMap { place in
        let isPartOfEnd = text[place] == carriageReturn && (place + 1 == text.count || text[place + 1] == feed)
        return isPartOfEnd ? nil : text[place]
    }
}
