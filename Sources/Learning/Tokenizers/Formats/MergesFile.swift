package import Diagnostics
import Platform

/// GPT-2's file of merges: optionally a line `#version: …`, then two tokens a line, in printable spelling.
package enum MergesFile: TokenizerFormat {
    /// Nothing marks the file: what no other format recognizes is read as merges, and refused with the line that is none.
    package static func recognizes(_ file: Span<UInt8>) -> Bool { true }

    /// Lines of a user's file may end in a carriage return and a line feed, and a byte order mark may stand first.
    /// - Throws: `data` if it is no file of merges, or is a user's and holds none
    package static func read(_ file: Span<UInt8>, from source: TokenizerSource) throws(Failure) -> any Tokenizer {
        let isStored = if case .stored = source { true } else { false }
        let text = isStored ? file.indices.map { file[$0] } : file.withPlainLineEnds
        guard !text.isEmpty else {
            throw Failure(
                .data, "\(source.name) is empty: expected a file of merges", advice: "or set data.tokenizer to `byte`")
        }
        let merges = try merges(in: text, from: source.name)
        guard isStored || !merges.isEmpty else {
            throw Failure(
                .data, "\(source.name) holds no merges",
                advice: "a file of merges has two tokens with a space between on every line; for bytes alone set the "
                    + "tokenizer to `byte`")
        }
        return try BytePairTokenizer(merges)
    }

    /// The pairs of tokens, in the order of their lines.
    static func merges(in text: [UInt8], from source: String) throws(Failure) -> [TokenPair] {
        let printable = PrintableBytes()
        var tokens: [[UInt8]: UInt32] = [:]
        for (token, byte) in printable.byteOfToken.enumerated() { tokens[[byte]] = UInt32(token) }
        var merges: [TokenPair] = []
        // Bytes, not characters: a carriage return and a line feed are one character.
        for (index, bytes) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard let line = String(validating: bytes, as: UTF8.self) else {
                throw Failure(.data, "\(source) is no file of merges: line \(index + 1) is not UTF-8")
            }
            if line.isEmpty || index == 0 && line.hasPrefix("#version") { continue }
            let place = "\(source):\(index + 1)"
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, let left = printable.bytes(of: words[0]), let right = printable.bytes(of: words[1])
            else {
                throw Failure(
                    .data, "\(place): `\(line.prefix(40))` is no merge: expected two tokens with a space between",
                    advice: "a file of merges is what `switchyard tokenize` or GPT-2 (vocab.bpe, merges.txt) writes")
            }
            guard let leftToken = tokens[left], let rightToken = tokens[right] else {
                let unknown = tokens[left] == nil ? words[0] : words[1]
                throw Failure(.data, "\(place): the token `\(unknown)` is not made by an earlier line")
            }
            guard tokens[left + right] == nil else {
                throw Failure(.data, "\(place): the token `\(words[0])\(words[1])` is made by an earlier line already")
            }
            // Past the largest vocabulary the number only has to be some number: too many merges are refused by the tokenizer.
            tokens[left + right] = UInt32(truncatingIfNeeded: 256 + merges.count)
            merges.append(TokenPair(left: leftToken, right: rightToken))
        }
        return merges
    }
}
