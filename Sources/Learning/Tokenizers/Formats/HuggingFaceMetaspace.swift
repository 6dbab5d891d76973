import Diagnostics
import JSON

extension HuggingFaceTokenizer {
    /// A vocabulary over characters with a token for each byte, as Llama 2 and Mixtral have it.
    /// - Parameter ids: `model.vocab`, whose keys differ by their bytes
    /// - Throws: `data`, naming what is not supported
    func characterVocabulary(
        _ ids: [(key: [UInt8], value: Int)], _ source: TokenizerSource
    ) throws(Failure) -> BytePairVocabulary {
        let name = source.name, added = try addedTokens(name)
        guard model.ignore_merges != true else { throw Self.unsupported("ignore_merges with byte_fallback", name) }
        guard added.allSatisfy(\.isSpecial) else {
            throw Self.unsupported("an added token that is not special, with byte_fallback,", name)
        }
        let metaspace = Metaspace(firstByteToken: try firstByteToken(name), prependsAlways: try prependsAlways(name))
        var spellings = [[UInt8]?](repeating: nil, count: 1 + (try largestID(of: ids.map(\.value), name)))
        for (text, id) in ids where !metaspace.byteTokens.contains(id) {
            guard spellings[id] == nil else { throw Failure(.data, "\(name): two tokens have the id \(id)") }
            spellings[id] = text
        }
        var vocabulary = BytePairVocabulary(
            pattern: .metaspace, spellings: spellings, added: added,
            merges: .listed(try characterMerges(spellings, name)),
            documentToken: try DocumentToken.id(among: added, source))
        (vocabulary.metaspace, vocabulary.hasPostProcessor) = (metaspace, addsTokens)
        try vocabulary.requireOwnIDs(name)
        try vocabulary.requireMarksInFront(name)
        return vocabulary
    }

    private func characterMerges(_ spellings: [[UInt8]?], _ name: String) throws(Failure) -> [TokenPair] {
        let ids = TokenTable(spellings)
        var pairs: [TokenPair] = []
        for (index, merge) in model.merges.enumerated() {
            guard let left = ids[Array(merge.left.utf8)], let right = ids[Array(merge.right.utf8)] else {
                throw Failure(.data, "\(name): merge \(index) is of a text that is not in model.vocab")
            }
            pairs.append(TokenPair(left: UInt32(left), right: UInt32(right)))
        }
        return pairs
    }

    /// The id of `<0x00>`; the other bytes must follow.
    private func firstByteToken(_ name: String) throws(Failure) -> Int {
        let ids = (0..<256).map { model.vocab[Metaspace.nameOfByte($0)] }
        guard let first = ids[0], ids.enumerated().allSatisfy({ $1 == first + $0 }) else {
            throw Self.unsupported("byte_fallback without 256 tokens from <0x00> to <0xFF> one after the other", name)
        }
        return first
    }

    /// `Prepend` and `Replace` as normalizers, or the pre-tokenizer `Metaspace`.
    private func prependsAlways(_ name: String) throws(Failure) -> Bool {
        let normalizers = normalizer.map { $0.steps("normalizers") } ?? []
        let preTokenizers = pre_tokenizer.map { $0.steps("pretokenizers") } ?? []
        let prepend: JSONValue = .object(["type": .text("Prepend"), "prepend": .text("▁")])
        let replace: JSONValue = .object([
            "type": .text("Replace"), "pattern": .object(["String": .text(" ")]), "content": .text("▁"),
        ])
        if preTokenizers.isEmpty, normalizers == [prepend, replace] { return true }
        if normalizers.isEmpty, preTokenizers.count == 1, case .object(let step) = preTokenizers[0],
            step["type"] == .text("Metaspace"), step["replacement"] == .text("▁"), step["split"] == .boolean(false),
            step["prepend_scheme"] == .text("first") || step["prepend_scheme"] == .text("always")
        {
            return false
        }
        throw Self.unsupported(
            "byte_fallback without `Prepend` and `Replace`, or `Metaspace` that does not split,", name)
    }
}
