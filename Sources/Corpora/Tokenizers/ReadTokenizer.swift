package import Diagnostics

/// The tokenizer whose `serialized` form is `text`; a file of GPT-2's merges is one.
/// - Parameter source: where the text comes from, for messages
package func readTokenizer(_ text: [UInt8], from source: String) throws(Failure) -> any Tokenizer {
    guard !text.isEmpty else {
        throw Failure(.data, "\(source) is empty: expected a file of merges", advice: "or set data.tokenizer to `byte`")
    }
    if text.elementsEqual(ByteTokenizer.serialized.utf8) { return ByteTokenizer() }
    return try BytePairTokenizer(mergesFile: text, from: source)
}

/// The tokenizer in a file of merges or in a token file.
package func readTokenizer(inFile path: String) throws(Failure) -> any Tokenizer {
    if TokenFile.isTokenFile(path) { return try TokenFile(path).tokenizer }
    let file = try MappedFile(path)
    return try readTokenizer(file.bytes.array, from: path)
}
