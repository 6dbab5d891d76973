package import Diagnostics

extension BytePairVocabulary {
    /// GPT-2's name for it.
    private static let endOfText = "<|endoftext|>"

    /// What any of our tokenizers does, for other software.
    /// - Throws: `data` if what it stores of itself cannot be read
    package init(of tokenizer: any Tokenizer) throws(Failure) {
        let stored = Array(tokenizer.serialized.utf8)
        if StoredTokenizerFile.recognizes(stored.span) {
            self = try StoredTokenizerFile.vocabulary(stored.span, from: "the tokenizer")
            return
        }
        let pairs =
            ByteTokenizerFile.recognizes(stored.span) ? [] : try MergesFile.merges(in: stored, from: "the tokenizer")
        self.init(
            pattern: .gpt2, spellings: (0..<tokenizer.endOfText).map { tokenizer.bytes(of: $0) },
            added: [AddedToken(id: tokenizer.endOfText, content: Self.endOfText, isSpecial: true)],
            merges: .listed(pairs), documentToken: tokenizer.endOfText)
    }

    /// Merges as pairs of ids, for software that knows no ranks of tokens: in the order of the tokens that they make, and of those of
    /// one token the one of the lowest ids first.
    package var listedMerges: [(left: Int, right: Int)] {
        switch merges {
        case .listed(let pairs): return pairs.map { (Int($0.left), Int($0.right)) }
        case .byRank:
            let ids = TokenTable(spellings)
            return spellings.flatMap { spelling in
                ids.halves(of: spelling ?? []).map { (left: Int($0.left), right: Int($0.right)) }.sorted { $0 < $1 }
            }
        }
    }
}
