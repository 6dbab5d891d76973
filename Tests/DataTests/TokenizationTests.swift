import Configuration
import Data
import Diagnostics
import Foundation
import Testing
import Tokenizers

/// Texts of every length, in several files, on several threads.
@Suite struct TokenizationTests {
    /// Words, numbers, contractions, marks, blanks and bytes that are no UTF-8.
    private func text(_ count: Int, _ random: inout TestRandom) -> [UInt8] {
        let pieces = [
            "the", " quick", " don't", "'s", " 12345", "7", ", ", ".\n", "\n\n", "  ", "é", "e\u{301}", " 中文", "。",
            "ABC", "/", "\u{1F600}",
            "▁", " ▁", "\t",
        ]
        var text: [UInt8] = []
        while text.count < count {
            text += Array(pieces.randomElement(using: &random)!.utf8)
            if Int.random(in: 0..<200, using: &random) == 0 { text.append(UInt8.random(in: 128...255, using: &random)) }
        }
        return text
    }

    private func tokenizeAll(
        _ paths: [String], _ tokenizer: TokenizerChoice, threads: Int, in folder: TemporaryFolder
    ) throws -> [UInt8] {
        let name = "out-\(threads).tokens"
        _ = try tokenizeFiles(
            paths, tokenizer: tokenizer, output: folder(name), format: .switchyard, threads: threads, report: silent)
        defer { try? FileManager.default.removeItem(atPath: folder(name)) }
        return try folder.read(name)
    }

    @Test("a file of tokens has the same bytes for any number of threads, and the tokens of each document by itself")
    func anyNumberOfThreads() throws {
        let folder = try TemporaryFolder()
        var random = TestRandom(7)
        // Of two blocks, of many blocks, of nothing that can be cut, empty, short.
        var documents = [400_000, 3_000_000].map { text($0, &random) }
        documents.append([UInt8](repeating: UInt8(ascii: "-"), count: 5_000_000))
        documents.append([])
        for length in 1...300 { documents.append(text(length * length / 50, &random)) }
        for (index, document) in documents.enumerated() {
            try folder.write(document, to: "texts/\(1000 + index).txt")
        }
        let folderOfGolden = try #require(Bundle.module.resourcePath) + "/Golden/Tokenizers"
        let kinds: [TokenizerChoice] =
            [
                .bytes, .bytePairs(vocabularySize: 400),
            ] + ["characters-Prepend.json"].map { .file("\(folderOfGolden)/\($0)", documentToken: nil) }
        for kind in kinds {
            let one = try tokenizeAll([folder("texts")], kind, threads: 1, in: folder)
            for threads in [2, 5] {
                #expect(try tokenizeAll([folder("texts")], kind, threads: threads, in: folder) == one, "\(kind)")
            }
            try folder.write(one, to: "one.tokens")
            let file = try TokenFile(folder("one.tokens"))
            try file.verify()
            let expected = documents.filter { !$0.isEmpty }.map {
                file.tokenizer.encode($0).map(Int.init) + [file.tokenizer.endOfText]
            }
            #expect((0..<file.tokenCount).map { file[$0] } == Array(expected.joined()), "\(kind)")
        }
    }

    @Test("a text that is cut has the tokens of the whole, by every kind of tokenizer") func cuts() throws {
        let folderOfGolden = try #require(Bundle.module.resourcePath) + "/Golden/Tokenizers"
        let names = try FileManager.default.contentsOfDirectory(atPath: folderOfGolden).filter {
            $0.hasSuffix(".json") && $0 != "ids.json"
        }
        #expect(names.count == 8)
        var random = TestRandom(8), found = 0
        for name in names {
            let json = try Data(contentsOf: URL(fileURLWithPath: "\(folderOfGolden)/\(name)"))
            let tokenizer = try TokenizerCatalog.read(
                Array(json).span, from: .file("t/tokenizer.json", documentToken: nil))
            for _ in 0..<300 {
                let text = text(Int.random(in: 1...60, using: &random), &random)
                let beginning = Array(text[..<Int.random(in: 1...text.count, using: &random)])
                guard let cut = tokenizer.lastCut(in: beginning.span) else { continue }
                var encoder = tokenizer.makeEncoder(), tokens: [UInt32] = []
                _ = encoder.encode(text.span.extracting(..<cut), isEnd: true, into: &tokens)
                encoder.beginBehindCut()
                _ = encoder.encode(text.span.extracting(cut...), isEnd: true, into: &tokens)
                #expect(tokens == tokenizer.encode(text), "\(name), \(text), \(cut)")
                found += 1
            }
        }
        #expect(found > 500)
    }

    @Test("words are not cut, nor numbers, nor what an added token could join") func noCuts() throws {
        let merges = try readTokenizer(Array("#version: 0.2\na b\n".utf8), from: "test")
        for text in ["abcdefgh", "0123456789", "don't'stop", "....    ....", "e\u{301}e\u{301}e\u{301}"] {
            #expect(merges.lastCut(in: Array(text.utf8).span) == nil, "\(text)")
        }
        #expect(merges.lastCut(in: Array("abc def ghi jkl".utf8).span) == 11)
        #expect(ByteTokenizer().lastCut(in: Array("a".utf8).span) == nil)
        let joined = BytePairVocabulary(
            pattern: .gpt2, takesWholeWords: false, spellings: (0..<256).map { [UInt8($0)] },
            added: [
                AddedToken(id: 256, content: "a b", isSpecial: false),
                AddedToken(id: 257, content: "<e>", isSpecial: true),
            ],
            merges: .byRank, documentToken: 257)
        let tokenizer = try BytePairTokenizer(joined, from: "test")
        #expect(tokenizer.lastCut(in: Array("xa bcdef".utf8).span) == nil)
        #expect(tokenizer.lastCut(in: Array("xc bcdef".utf8).span) == 2)
    }
}
