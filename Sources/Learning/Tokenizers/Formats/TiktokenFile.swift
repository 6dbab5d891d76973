package import Diagnostics
import FoundationEssentials
import Platform

/// A rank file of `tiktoken`: a line for each token, its bytes in base64, a blank and its rank, which is its id. The file says neither
/// how texts are cut nor which tokens are special; that goes by the published vocabularies.
package enum TiktokenFile: TokenizerFormat {
    /// A vocabulary that is known by the name of its file and the number of its ranks.
    private struct Published {
        var name: String
        var ranks: Int
        var pattern: PreTokenPattern
        /// The token that ends documents.
        var documentToken: (name: String, id: Int)
        /// Ids, those of special tokens included.
        var size: Int
    }

    private static let published = [
        Published(
            name: "r50k_base.tiktoken", ranks: 50_256, pattern: .gpt2, documentToken: ("<|endoftext|>", 50_256),
            size: 50_257),
        Published(
            name: "p50k_base.tiktoken", ranks: 50_280, pattern: .gpt2, documentToken: ("<|endoftext|>", 50_256),
            size: 50_281),
        Published(
            name: "cl100k_base.tiktoken", ranks: 100_256, pattern: .cl100k, documentToken: ("<|endoftext|>", 100_257),
            size: 100_277),
        Published(
            name: "o200k_base.tiktoken", ranks: 199_998, pattern: .o200k, documentToken: ("<|endoftext|>", 199_999),
            size: 200_019),
        Published(
            name: "qwen.tiktoken", ranks: 151_643, pattern: .qwen2, documentToken: ("<|endoftext|>", 151_643),
            size: 151_851),
        Published(
            name: "tokenizer.model", ranks: 128_000, pattern: .llama3, documentToken: ("<|end_of_text|>", 128_001),
            size: 128_256),
    ]

    /// The first line is that of a byte with the rank 0.
    package static func recognizes(_ file: Span<UInt8>) -> Bool {
        let rest = Array("== 0".utf8)
        return file.count > 6 && rest.indices.allSatisfy { file[2 + $0] == rest[$0] }
            && (file[6] == UInt8(ascii: "\n") || file[6] == UInt8(ascii: "\r"))
    }

    package static func read(_ file: Span<UInt8>, from source: TokenizerSource) throws(Failure) -> any Tokenizer {
        let ranks = try ranks(in: file.withPlainLineEnds, source.name)
        let fileName = splitPath(source.name).name, count = ranks.count { $0 != nil }
        guard let known = published.first(where: { $0.name == fileName && $0.ranks == count }) else {
            let names = published.map { "\($0.name) of \($0.ranks)" }.joined(separator: ", ")
            throw Failure(
                .data,
                "\(source.name) has \(count) ranks; how its texts are cut and which token ends a document is not in the file, and "
                    + "known only of \(names)",
                advice: "give the tokenizer.json of the same tokenizer; a published file needs its own name")
        }
        return try BytePairTokenizer(vocabulary(of: ranks, known), from: source.name)
    }

    private static func vocabulary(of ranks: [[UInt8]?], _ known: Published) -> BytePairVocabulary {
        let (name, id) = known.documentToken
        var added = [AddedToken(id: id, content: name, isSpecial: true)]
        // The last id, so that the vocabulary has the size that models are made for.
        if id < known.size - 1, ranks.count < known.size {
            added.append(AddedToken(id: known.size - 1, content: "<|last special token|>", isSpecial: true))
        }
        return BytePairVocabulary(
            pattern: known.pattern, takesWholeWords: true, spellings: ranks, added: added, merges: .byRank,
            documentToken: id)
    }

    /// The bytes of each rank; nil for a number that none has.
    private static func ranks(in file: [UInt8], _ name: String) throws(Failure) -> [[UInt8]?] {
        var ranks: [[UInt8]?] = [], known: Set<[UInt8]> = []
        for (index, line) in file.split(separator: UInt8(ascii: "\n")).enumerated() {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard words.count == 2, let bytes = Data(base64Encoded: Data(words[0])), !bytes.isEmpty,
                let rank = Int(String(decoding: words[1], as: UTF8.self)), 0...BytePairVocabulary.largestID ~= rank
            else {
                throw Failure(.data, "\(name):\(index + 1): expected a token in base64, a blank and its rank")
            }
            while ranks.count <= rank { ranks.append(nil) }
            guard ranks[rank] == nil, known.insert(Array(bytes)).inserted else {
                throw Failure(.data, "\(name):\(index + 1): the token or the rank \(rank) is there already")
            }
            ranks[rank] = Array(bytes)
        }
        return ranks
    }
}
