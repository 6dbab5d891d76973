package import Diagnostics

/// How checkpoints and token files keep a tokenizer of other software (docs/token-files.md): one fact a line, tokens in
/// printable spelling in the order of their ids, merges by ids.
package enum StoredTokenizerFile: TokenizerFormat {
    static let firstLine = "#switchyard tokenizer 1"

    package static func recognizes(_ file: Span<UInt8>) -> Bool {
        let line = Array(firstLine.utf8)
        return file.count > line.count && line.indices.allSatisfy { file[$0] == line[$0] }
    }

    package static func read(_ file: Span<UInt8>, from source: TokenizerSource) throws(Failure) -> any Tokenizer {
        try BytePairTokenizer(vocabulary(file, from: source.name), from: source.name)
    }

    /// - Throws: `data` naming the line
    package static func vocabulary(_ file: Span<UInt8>, from name: String) throws(Failure) -> BytePairVocabulary {
        var lines = StoredLines(file, name)
        _ = try lines.next()
        let word = try lines.value(of: "pattern")
        guard let pattern = PreTokenPattern(rawValue: word) else {
            throw lines.failure("knows no pattern `\(word)`")
        }
        let metaspace = pattern == .metaspace ? try metaspace(&lines) : nil
        let isNormalized = try lines.flag("nfc"), takesWholeWords = try lines.flag("whole_words")
        let documentToken = try lines.number(of: "document_token", upTo: BytePairVocabulary.largestID)
        let spellings = try spellings(&lines), added = try added(&lines)
        var vocabulary = BytePairVocabulary(
            pattern: pattern, isNormalized: isNormalized, takesWholeWords: takesWholeWords, spellings: spellings,
            added: added, merges: try merges(&lines), documentToken: documentToken)
        vocabulary.metaspace = metaspace
        if let metaspace, metaspace.byteTokens.upperBound > spellings.count {
            throw lines.failure(
                "ends \(spellings.count) tokens; the tokens of the bytes are \(metaspace.firstByteToken) to "
                    + "\(metaspace.byteTokens.upperBound - 1) (first_byte_token)")
        }
        guard added.contains(where: { $0.id == documentToken }) else {
            throw lines.failure("names \(documentToken) as document_token, which is no added token")
        }
        return vocabulary
    }

    private static func metaspace(_ lines: inout StoredLines) throws(Failure) -> Metaspace {
        Metaspace(
            firstByteToken: try lines.number(of: "first_byte_token", upTo: BytePairVocabulary.largestID),
            prependsAlways: try lines.flag("prepends_always"))
    }

    private static func spellings(_ lines: inout StoredLines) throws(Failure) -> [[UInt8]?] {
        let printable = PrintableBytes(), count = try lines.number(of: "tokens", upTo: BytePairVocabulary.largestID + 1)
        var spellings: [[UInt8]?] = []
        for _ in 0..<count {
            let line = try lines.next()
            guard !line.isEmpty else {
                spellings.append(nil)
                continue
            }
            guard let bytes = printable.bytes(of: line[...]) else { throw lines.failure("is no token") }
            spellings.append(bytes)
        }
        return spellings
    }

    private static func added(_ lines: inout StoredLines) throws(Failure) -> [AddedToken] {
        let printable = PrintableBytes(), count = try lines.number(of: "added", upTo: BytePairVocabulary.largestID)
        var added: [AddedToken] = []
        for _ in 0..<count {
            let words = try lines.next().split(separator: " ")
            guard words.count == 3, let id = Int(words[0]), 0...BytePairVocabulary.largestID ~= id,
                words[1] == "special" || words[1] == "text", let bytes = printable.bytes(of: words[2])
            else { throw lines.failure("is no added token") }
            added.append(
                AddedToken(id: id, content: String(decoding: bytes, as: UTF8.self), isSpecial: words[1] == "special"))
        }
        return added
    }

    private static func merges(_ lines: inout StoredLines) throws(Failure) -> BytePairVocabulary.Merges {
        let word = try lines.value(of: "merges")
        if word == "by_rank" { return .byRank }
        guard let count = Int(word), 0...(1 << 26) ~= count else { throw lines.failure("is no number of merges") }
        var pairs: [TokenPair] = []
        for _ in 0..<count { pairs.append(try lines.pair()) }
        return .listed(pairs)
    }
}

extension BytePairVocabulary {
    /// The text that `StoredTokenizerFile` reads.
    var stored: String {
        let printable = PrintableBytes()
        var lines = [
            StoredTokenizerFile.firstLine, "pattern \(pattern.rawValue)",
        ]
        if let metaspace {
            lines += ["first_byte_token \(metaspace.firstByteToken)", "prepends_always \(metaspace.prependsAlways)"]
        }
        lines += [
            "nfc \(isNormalized)",
            "whole_words \(takesWholeWords)", "document_token \(documentToken)", "tokens \(spellings.count)",
        ]
        lines += spellings.map { $0.map(printable.text) ?? "" }
        lines.append("added \(added.count)")
        for token in added {
            lines.append(
                "\(token.id) \(token.isSpecial ? "special" : "text") \(printable.text(of: Array(token.content.utf8)))")
        }
        switch merges {
        case .byRank: lines.append("merges by_rank")
        case .listed(let pairs):
            lines.append("merges \(pairs.count)")
            lines += pairs.map { "\($0.left) \($0.right)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
