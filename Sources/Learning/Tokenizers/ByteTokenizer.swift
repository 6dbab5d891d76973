/// Every byte is its own token, 0–255; 256 ends a document.
package struct ByteTokenizer: Tokenizer {
    package static let serialized = "#version: 0.2 bytes\n"

    package init() {}

    package var vocabularySize: Int { 257 }
    package var endOfText: Int { 256 }
    package var serialized: String { Self.serialized }

    package func makeEncoder() -> any TokenEncoder { ByteEncoder() }

    package func bytes(of token: Int) -> [UInt8] { UInt8(exactly: token).map { [$0] } ?? [] }

    package func byteCount(of token: Int) -> Int { token >= 0 && token < 256 ? 1 : 0 }
}

private struct ByteEncoder: TokenEncoder {
    func encode(_ text: Span<UInt8>, from start: Int, upTo limit: Int, into tokens: inout [UInt16]) -> Int {
        let end = min(limit, text.count)
        guard start < end else { return max(start, end) }
        tokens.reserveCapacity(tokens.count + end - start)
        for i in start..<end { tokens.append(UInt16(text[i])) }
        return end
    }
}
