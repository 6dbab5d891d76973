package import Configuration
package import Diagnostics
import Platform
import Tokenizers

/// What a token file holds: counts, lengths of documents, how much of the vocabulary it uses, first documents.
package struct TokenInspection: Encodable, Sendable {
    package struct Lengths: Encodable, Sendable {
        package let shortest, median, ninetiethPercentile, longest: Int
        package let mean: Double

        /// Nil if there are no documents.
        /// - Parameter lengths: ascending
        init?(_ lengths: [Int]) {
            guard let first = lengths.first, let last = lengths.last else { return nil }
            (shortest, longest) = (first, last)
            median = lengths[lengths.count / 2]
            ninetiethPercentile = lengths[lengths.count * 9 / 10]
            mean = Double(lengths.reduce(0, +)) / Double(lengths.count)
        }
    }

    /// Documents of `from` to `through` tokens.
    package struct Bucket: Encodable, Sendable {
        package let from, through, documents, tokens: Int
    }

    package struct Entry: Encodable, Sendable {
        package let token, count: Int
        package let text: String
    }

    package struct Sample: Encodable, Sendable {
        package let tokens: Int
        package let text: String
    }

    package let path: String
    package let bitsPerToken, vocabularySize: Int
    package let tokenizer: String
    /// How the tokenizer was asked for, and what the texts were; nil for a file that does not say.
    package let tokenizerSetting: String?
    package let sources: [String]?
    package let tokens, documents: Int
    /// Of the text that the tokens stand for.
    package let textBytes: Int
    /// Nil if there are no documents.
    package let lengths: Lengths?
    /// Each twice as wide as the one before.
    package let histogram: [Bucket]
    /// Entries of the vocabulary that occur.
    package let usedEntries: Int
    package let mostFrequent: [Entry]
    package let samples: [Sample]

    /// Reads all of a token file, or of a file of another trainer's tokens.
    /// - Parameters:
    ///   - setting: the tokenizer of another trainer's file, which does not say; nil: none was named
    ///   - samples: how many of the first documents are decoded
    /// - Throws: `data` if the file is damaged, or a token lies outside the vocabulary; `usage` if a tokenizer is missing, or named for
    ///   a file that has its own
    package init(_ path: String, tokenizer setting: TokenizerChoice?, samples: Int) throws(Failure) {
        let contents = try TokenContents(path, tokenizer: setting)
        let vocabulary = contents.tokenizer
        var counts = [Int](repeating: 0, count: vocabulary.vocabularySize)
        try contents.forEachToken { token in counts[token] += 1 }
        self.path = path
        bitsPerToken = 8 * contents.width.rawValue
        (vocabularySize, tokenizer) = (vocabulary.vocabularySize, vocabulary.identity)
        (tokenizerSetting, sources) = (contents.metadata?.tokenizerSetting, contents.metadata?.sources.map(\.path))
        (tokens, documents) = (contents.count, contents.ends.count)
        textBytes = counts.indices.reduce(0) { $0 + counts[$1] * vocabulary.byteCount(of: $1) }
        let starts = [0] + contents.ends.dropLast()
        let all = zip(starts, contents.ends).map { $1 - $0 }
        lengths = Lengths(all.sorted())
        histogram = Self.histogram(all)
        usedEntries = counts.count { $0 > 0 }
        let order = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$1], $0) < (counts[$0], $1) }
        mostFrequent = order.prefix(10).map { token in
            Entry(token: token, count: counts[token], text: text(of: [token], vocabulary))
        }
        self.samples = zip(starts, contents.ends).prefix(samples).map { start, end in
            Sample(tokens: end - start, text: text(of: contents.tokens(start..<min(end, start + 100)), vocabulary))
        }
    }

    /// 1, 2–3, 4–7 and so on, from the first that has documents to the last.
    private static func histogram(_ lengths: [Int]) -> [Bucket] {
        let groups = Dictionary(grouping: lengths) { $0 == 0 ? 0 : Int.bitWidth - $0.leadingZeroBitCount }
        guard let first = groups.keys.min(), let last = groups.keys.max() else { return [] }
        return (first...last).map { bits in
            let group = groups[bits] ?? []
            return Bucket(
                from: bits == 0 ? 0 : 1 << (bits - 1), through: (1 << bits) - 1, documents: group.count,
                tokens: group.reduce(0, +))
        }
    }
}

private func text(of tokens: [Int], _ tokenizer: any Tokenizer) -> String {
    String(decoding: tokenizer.decode(tokens), as: UTF8.self)
}
