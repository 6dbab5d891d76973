import Diagnostics

/// The one line of `ByteTokenizer`.
package enum ByteTokenizerFile: TokenizerFormat {
    package static func recognizes(_ file: Span<UInt8>) -> Bool {
        // A byte order mark, a carriage return.
        file.count <= ByteTokenizer.serialized.utf8.count + 4
            && file.withPlainLineEnds.elementsEqual(ByteTokenizer.serialized.utf8)
    }

    package static func read(_ file: Span<UInt8>, from source: TokenizerSource) -> any Tokenizer { ByteTokenizer() }
}
