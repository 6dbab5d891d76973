package import Diagnostics

/// The tokenizer whose `serialized` form is `text`.
/// - Parameter source: where the text comes from, for messages
package func readTokenizer(_ text: [UInt8], from source: String) throws(Failure) -> any Tokenizer {
    if text.elementsEqual(ByteTokenizer.serialized.utf8) { return ByteTokenizer() }
    throw Failure(.data, "\(source): no tokenizer")
}

/// The tokenizer in a file of merges or in a token file.
package func readTokenizer(inFile path: String) throws(Failure) -> any Tokenizer {
    if TokenFile.isTokenFile(path) { return try TokenFile(path).tokenizer }
    let file = try MappedFile(path)
    return try readTokenizer(file.bytes.array, from: path)
}
