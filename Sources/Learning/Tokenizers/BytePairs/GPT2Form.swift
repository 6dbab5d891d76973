extension BytePairVocabulary {
    private static let paddingTokens = ["<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|PAD_TOKEN|>"]

    /// The same tokenizer as bytes or as merges alone, if ids follow from them: so that it has one identity, whichever file it is
    /// read from. Padding tokens behind the end of text, which stand in no text, do not count.
    func inGPT2Form() -> (any Tokenizer)? {
        guard pattern == .gpt2, !isNormalized, !takesWholeWords, case .listed(let pairs) = merges,
            added.allSatisfy({ $0.id == documentToken || isPadding($0) })
        else { return nil }
        let model = spellings.prefix(documentToken)
        guard spellings.count <= documentToken + 1 + added.count, model.count == documentToken else { return nil }
        if pairs.isEmpty, model.elementsEqual((0...255).map { [UInt8($0)] }) { return ByteTokenizer() }
        guard 256 + pairs.count == model.count,
            model.prefix(256).elementsEqual(PrintableBytes().byteOfToken.map { [$0] })
        else { return nil }
        for (rank, pair) in pairs.enumerated() {
            guard Int(max(pair.left, pair.right)) < 256 + rank, let left = spellings[Int(pair.left)],
                let right = spellings[Int(pair.right)], left + right == spellings[256 + rank]
            else { return nil }
        }
        return try? BytePairTokenizer(pairs)
    }

    private func isPadding(_ token: AddedToken) -> Bool {
        token.id > documentToken && Self.paddingTokens.contains(token.content)
    }
}
