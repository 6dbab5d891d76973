import Diagnostics

/// A byte-level byte-pair encoding as files of other software describe it. Ids, the order of merges and the order of bytes are
/// independent of each other.
package struct BytePairVocabulary: Sendable {
    /// Which neighbors merge, the earliest first.
    package enum Merges: Sendable {
        case listed([TokenPair])
        /// Whatever two neighbors spell together, if it is a token; the one with the lowest id first. tiktoken's rule.
        case byRank
    }

    package var pattern: PreTokenPattern
    /// Whether texts are normalized to Unicode's form NFC first.
    package var isNormalized: Bool
    /// Whether a pre-token that is a token itself is taken as it is (`ignore_merges`).
    package var takesWholeWords: Bool
    /// The bytes of each id; nil for an id that is none of the model's tokens.
    package var spellings: [[UInt8]?]
    package var added: [AddedToken]
    package var merges: Merges
    /// The id of the added token that ends a document.
    package var documentToken: Int
    /// Of a vocabulary over characters, whose `pattern` is `metaspace`; nil of one over bytes. Its `spellings` are UTF-8 with `▁`, and nil
    /// for the tokens of bytes.
    package var metaspace: Metaspace?
    /// Whether the file names tokens that stand around every text, which are left out. Not stored.
    var hasPostProcessor = false

    package init(
        pattern: PreTokenPattern, isNormalized: Bool = false, takesWholeWords: Bool = false, spellings: [[UInt8]?],
        added: [AddedToken], merges: Merges, documentToken: Int
    ) {
        self.pattern = pattern
        self.isNormalized = isNormalized
        self.takesWholeWords = takesWholeWords
        self.spellings = spellings
        self.added = added
        self.merges = merges
        self.documentToken = documentToken
    }

    /// A larger id is taken for a mistake; memory is proportional to the largest.
    package static let largestID = 1 << 22

    /// Ids, those of added tokens included.
    package var size: Int { max(spellings.count, (added.map(\.id).max() ?? -1) + 1) }

    /// What a user should know of it.
    var summary: String {
        let name = added.first { $0.id == documentToken }?.content ?? ""
        return
            "\(size) tokens, pre-tokens by the pattern \(pattern.rawValue), documents end with `\(name)` (\(documentToken))"
            + (hasPostProcessor ? "; what its post_processor adds around a text is left out" : "")
    }

    /// What each id stands for: nothing if it is a special token, or none.
    var decodedBytes: [[UInt8]] {
        var bytes = spellings.map(decoded) + [[UInt8]](repeating: [], count: size - spellings.count)
        if let metaspace { for (byte, id) in metaspace.byteTokens.enumerated() { bytes[id] = [UInt8(byte)] } }
        for token in added {
            bytes[token.id] = token.isSpecial || token.id == documentToken ? [] : Array(token.content.utf8)
        }
        return bytes
    }

    private func decoded(_ spelling: [UInt8]?) -> [UInt8] {
        guard let spelling else { return [] }
        return metaspace == nil ? spelling : spelling.replacing(Metaspace.mark, with: [UInt8(ascii: " ")])
    }

    /// - Throws: `data` if a token has `▁` behind another character: then pieces are not independent of each other
    func requireMarksInFront(_ name: String) throws(Failure) {
        let mark = Metaspace.mark
        for spelling in spellings {
            guard var rest = spelling?[...] else { continue }
            while rest.starts(with: mark) { rest = rest.dropFirst(mark.count) }
            guard rest.firstRange(of: mark) == nil else {
                throw Failure(
                    .data,
                    "\(name): the token `\(String(decoding: spelling ?? [], as: UTF8.self))` has `▁` behind another character",
                    advice:
                        "supported are vocabularies whose tokens begin at blanks, as SentencePiece makes them by default"
                )
            }
        }
    }

    /// - Throws: `data` if an added token has the id of another token of the model
    func requireOwnIDs(_ name: String) throws(Failure) {
        for token in added where token.id < spellings.count {
            guard let spelling = spellings[token.id], spelling != Array(token.content.utf8) else { continue }
            throw Failure(
                .data,
                "\(name): the id \(token.id) of the added token `\(token.content.prefix(80))` is that of another token")
        }
    }

    /// The id of each byte.
    /// - Throws: `data` if a byte has none
    func tokenOfByte(_ name: String) throws(Failure) -> [UInt32] {
        if let metaspace { return metaspace.byteTokens.map { UInt32($0) } }
        var tokens = [UInt32?](repeating: nil, count: 256)
        for (id, spelling) in spellings.enumerated() where spelling?.count == 1 {
            if let byte = spelling?.first { tokens[Int(byte)] = UInt32(id) }
        }
        if let missing = tokens.firstIndex(of: nil) {
            throw Failure(
                .data, "\(name): no token stands for the byte \(missing): not every text has tokens",
                advice: "byte-level vocabularies have a token for each of the 256 bytes")
        }
        return tokens.compactMap { $0 }
    }

    /// From a pair to its rank, and from a rank to the id of the token that is made.
    /// - Parameters:
    ///   - ids: of `spellings`
    ///   - name: of the file, for messages
    /// - Throws: `data` if a merge is of no tokens, makes none, or is listed twice
    func mergeTable(_ ids: TokenTable, _ name: String) throws(Failure) -> (ranks: PairTable, results: [UInt32]) {
        guard case .listed(let pairs) = merges else { return rankedTable(ids) }
        var ranks = PairTable(), results: [UInt32] = []
        for (rank, pair) in pairs.enumerated() {
            guard let left = spelling(pair.left), let right = spelling(pair.right), let result = ids[left + right]
            else {
                throw Failure(.data, "\(name): merge \(rank) is not of two tokens whose bytes together are a token")
            }
            guard ranks.insert(pair, rank) == rank else {
                throw Failure(.data, "\(name): merge \(rank) is listed twice")
            }
            results.append(UInt32(result))
        }
        return (ranks, results)
    }

    /// O(bytes of all tokens).
    private func rankedTable(_ ids: TokenTable) -> (ranks: PairTable, results: [UInt32]) {
        var ranks = PairTable()
        for (id, spelling) in spellings.enumerated() {
            for pair in ids.halves(of: spelling ?? []) { _ = ranks.insert(pair, id) }
        }
        return (ranks, Array(0..<UInt32(spellings.count)))
    }

    private func spelling(_ id: UInt32) -> [UInt8]? { Int(id) < spellings.count ? spellings[Int(id)] : nil }
}

/// A token beside those of the model.
package struct AddedToken: Sendable, Equatable {
    package var id: Int
    package var content: String
    /// A special token stands for no text: where a text contains its name, that is text. Another one is the token of its content.
    package var isSpecial: Bool

    package init(id: Int, content: String, isSpecial: Bool) {
        self.id = id
        self.content = content
        self.isSpecial = isSpecial
    }
}

/// From the bytes of a token to its id.
struct TokenTable: Sendable {
    private var table = ByteStringTable()
    private var ids: [UInt32] = []

    /// Of two tokens with the same bytes the first counts.
    init(_ spellings: [[UInt8]?]) {
        for (id, spelling) in spellings.enumerated() {
            guard let spelling else { continue }
            let index = table.index(of: spelling.span, 0..<spelling.count)
            if index == ids.count { ids.append(UInt32(id)) }
        }
    }

    subscript(text: Span<UInt8>, range: Range<Int>) -> Int? { table.find(text, range).map { Int(ids[$0]) } }

    subscript(bytes: [UInt8]) -> Int? { self[bytes.span, 0..<bytes.count] }

    /// The pairs of tokens that spell `bytes` together, the shortest left one first.
    func halves(of bytes: [UInt8]) -> [TokenPair] {
        let span = bytes.span
        return span.indices.dropFirst().compactMap { place in
            guard let left = self[span, 0..<place], let right = self[span, place..<span.count] else { return nil }
            return TokenPair(left: UInt32(left), right: UInt32(right))
        }
    }
}
