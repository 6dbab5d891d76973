package import Diagnostics

/// Byte-level byte-pair encoding (Sennrich, Haddow & Birch, arXiv:1508.07909, over bytes; Radford et al., 2019): text is cut
/// into pre-tokens, and in each the earliest-learned merge of two neighbors is applied until none applies.
package struct BytePairTokenizer: Tokenizer {
    package let serialized: String
    package let endOfText: Int
    /// What a user should know of a file of other software; nil for merges alone.
    package let summary: String?
    let pattern: PreTokenPattern
    let isNormalized: Bool
    /// The tokens that a pre-token may be as a whole; nil if it is always merged from its bytes.
    let wholeWords: TokenTable?
    /// The tokens of characters and how texts are spelled, of a vocabulary over characters.
    let characters: TokenTable?
    private let metaspace: Metaspace?
    let added: AddedTokenSearch?
    let tokenOfByte: [UInt32]
    let merges: MergeTable
    private let bytes: [UInt8]
    /// Where each token's bytes end in `bytes`.
    private let ends: [Int]

    /// GPT-2's form: tokens 0–255 are the bytes in printable order (`PrintableBytes`), 256 and on the merges in order, the last
    /// one is the end of text.
    /// - Throws: `data` if a merge uses a token that comes later or makes one that exists, or if there are too many
    package init(_ merges: [TokenPair]) throws(Failure) {
        let most = Int(Int32.max) - 257
        guard merges.count <= most else {
            throw Failure(.data, "\(merges.count) merges are too many: a token has 31 bits, room for \(most) merges")
        }
        let printable = PrintableBytes()
        var spellings = printable.byteOfToken.map { [$0] }
        var known = Set(spellings)
        var ranks = PairTable()
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
            _ = ranks.insert(pair, index)
        }
        serialized = lines
        (pattern, isNormalized, wholeWords, added, summary) = (.gpt2, false, nil, nil, nil)
        (characters, metaspace) = (nil, nil)
        tokenOfByte = printable.tokenOfByte
        self.merges = MergeTable(
            ranks, results: merges.indices.map { UInt32(256 + $0) }, tokenOfByte: printable.tokenOfByte)
        endOfText = spellings.count
        (bytes, ends) = Self.joined(spellings + [[]])
    }

    /// - Parameters:
    ///   - vocabulary: what a file of other software describes
    ///   - name: of that file, for messages
    /// - Throws: `data` if it does not describe a tokenizer of all texts
    package init(_ vocabulary: BytePairVocabulary, from name: String) throws(Failure) {
        serialized = vocabulary.stored
        endOfText = vocabulary.documentToken
        summary = vocabulary.summary
        (pattern, isNormalized) = (vocabulary.pattern, vocabulary.isNormalized)
        let ids = TokenTable(vocabulary.spellings)
        wholeWords = vocabulary.takesWholeWords ? ids : nil
        metaspace = vocabulary.metaspace
        characters = metaspace == nil ? nil : ids
        added = AddedTokenSearch(vocabulary.added.filter { !$0.isSpecial && $0.id != vocabulary.documentToken })
        let tokenOfByte = try vocabulary.tokenOfByte(name)
        self.tokenOfByte = tokenOfByte
        let (ranks, results) = try vocabulary.mergeTable(ids, name)
        merges = MergeTable(ranks, results: results, tokenOfByte: tokenOfByte)
        (bytes, ends) = Self.joined(vocabulary.decodedBytes)
    }

    private static func joined(_ spellings: [[UInt8]]) -> (bytes: [UInt8], ends: [Int]) {
        var end = 0
        let ends = spellings.map { spelling in
            end += spelling.count
            return end
        }
        return (spellings.flatMap { $0 }, ends)
    }

    package var vocabularySize: Int { ends.count }

    package func makeEncoder() -> any TokenEncoder {
        let encoder = BytePairEncoder(self)
        if let metaspace { return withAdded(MetaspaceEncoder(metaspace, encoder)) }
        guard isNormalized else { return withAdded(encoder) }
        return withAdded(NormalizingEncoder(encoder))
    }

    private func withAdded(_ encoder: some TokenEncoder) -> any TokenEncoder {
        added.map { AddedTokenEncoder($0, between: encoder) } ?? encoder
    }

    package func lastCut(in text: Span<UInt8>) -> Int? {
        PreTokenizer(pattern).lastCut(in: text) { place in added?.reaches(place, in: text) ?? false }
    }

    package func bytes(of token: Int) -> [UInt8] { Array(bytes[range(of: token)]) }

    package func byteCount(of token: Int) -> Int { range(of: token).count }

    private func range(of token: Int) -> Range<Int> {
        guard ends.indices.contains(token) else { return 0..<0 }
        return (token == 0 ? 0 : ends[token - 1])..<ends[token]
    }
}
