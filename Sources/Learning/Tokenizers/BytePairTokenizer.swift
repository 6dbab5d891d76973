package import Diagnostics

/// Byte-level byte-pair encoding as GPT-2 does it (Sennrich, Haddow & Birch, arXiv:1508.07909, over bytes; Radford et
/// al., 2019): text is cut into pre-tokens, and in each the earliest-learned merge of two neighbors is applied until none
/// applies.
///
/// Tokens 0–255 are the bytes in printable order (`PrintableBytes`), 256 and on the merges in order, the last one is the
/// end of text.
package struct BytePairTokenizer: Tokenizer {
    package let serialized: String
    let printable = PrintableBytes()
    /// From a pair to the token that it merges to: the lower, the earlier.
    let merged: PairTable
    private let bytes: [UInt8]
    /// Where each token's bytes end in `bytes`.
    private let ends: [Int]

    /// - Throws: `data` if a merge uses a token that comes later or makes one that exists, or if there are too many
    package init(_ merges: [TokenPair]) throws(Failure) {
        let most = Int(Int32.max) - 257
        guard merges.count <= most else {
            throw Failure(.data, "\(merges.count) merges are too many: a token has 31 bits, room for \(most) merges")
        }
        var spellings = printable.byteOfToken.map { [$0] }
        var known = Set(spellings)
        var merged = PairTable()
        var lines = "#version: 0.2\n"
        for (index, pair) in merges.enumerated() {
            guard Int(max(pair.left, pair.right)) < spellings.count else {
                throw Failure(.data, "merge \(index) uses a token that is made later")
            }
            let (left, right) = (spellings[Int(pair.left)], spellings[Int(pair.right)])
            guard known.insert(left + right).inserted else {
                throw Failure(
                    .data, "merge \(index) makes `\(printable.text(of: left + right))`, which is a token already")
            }
            lines += "\(printable.text(of: left)) \(printable.text(of: right))\n"
            spellings.append(left + right)
            _ = merged.insert(pair, 256 + index)
        }
        serialized = lines
        self.merged = merged
        bytes = spellings.flatMap { $0 }
        var end = 0
        ends = spellings.map { spelling in
            end += spelling.count
            return end
        }
    }

    package var vocabularySize: Int { ends.count + 1 }
    package var endOfText: Int { ends.count }

    package func makeEncoder() -> any TokenEncoder { BytePairEncoder(self) }

    package func bytes(of token: Int) -> [UInt8] { Array(bytes[range(of: token)]) }

    package func byteCount(of token: Int) -> Int { range(of: token).count }

    private func range(of token: Int) -> Range<Int> {
        guard ends.indices.contains(token) else { return 0..<0 }
        return (token == 0 ? 0 : ends[token - 1])..<ends[token]
    }
}
