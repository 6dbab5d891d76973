package import Diagnostics
import Platform
package import Tokenizers

/// The tokenizer whose `serialized` form is `text`.
/// - Parameter source: where the text is stored, for messages
package func readTokenizer(_ text: [UInt8], from source: String) throws(Failure) -> any Tokenizer {
    try TokenizerCatalog.read(text.span, from: .stored(in: source))
}

/// The tokenizer in a file of one of the formats of `TokenizerCatalog`, or in a token file.
/// - Throws: `data` if it is of none
package func readTokenizer(inFile path: String) throws(Failure) -> any Tokenizer {
    if TokenFile.isTokenFile(path) { return try TokenFile(path).tokenizer }
    let file = try MappedFile(path)
    return try TokenizerCatalog.read(file.bytes, from: .file(path))
}
