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
/// - Parameter documentToken: the content of the token that ends documents, where the file does not say it
package func readTokenizer(inFile path: String, documentToken: String? = nil) throws(Failure) -> any Tokenizer {
    if documentToken == nil, TokenFile.isTokenFile(path) { return try TokenFile(path).tokenizer }
    let file = try MappedFile(path)
    return try TokenizerCatalog.read(file.bytes, from: .file(path, documentToken: documentToken))
}
