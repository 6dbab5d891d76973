/// Every byte is its own token, 0–255; 256 ends a document.
package struct ByteTokenizer: Tokenizer {
    package static let serialized = "#version: 0.2 bytes\n"

    package init() {}

    package var vocabularySize: Int { 257 }
    package var endOfText: Int { 256 }
    package var serialized: String { Self.serialized }

    package func makeEncoder() -> any TokenEncoder { ByteEncoder() }

    package func lastCut(in text: Span<UInt8>) -> Int? { text.count > 1 ? text.count - 1 : nil }

    package func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }

    package func byteCount(of token: Int) -> Int { token >= 0 && token < 256 ? 1 : 0 }
}

private struct ByteEncoder: TokenEncoder {
    func encode(_ text: Span<UInt8>, isEnd: Bool, into tokens: inout [UInt32]) -> Int {
        tokens.reserveCapacity(tokens.count + text.count)
        for i in text.indices { tokens.append(UInt32(text[i])) }
        return text.count
    }
}
