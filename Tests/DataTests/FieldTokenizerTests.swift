import Data
import Diagnostics
import Foundation
import Testing
import Tokenizers

/// `scripts/tokenizers/golden.py` writes it.
private struct GoldenTokenizers: Decodable {
    struct Case: Decodable {
        var file: String
        var ids: [UInt32]

        /// What tokens give back of `text`: vocabularies over characters put a blank before it.
        func spelled(_ text: [UInt8]) -> [UInt8] { file.hasPrefix("characters") ? [0x20] + text : text }

        /// The text of the `tokenizer.json`.
        func json() throws -> String { String(decoding: try GoldenTokenizers.contents(of: file), as: UTF8.self) }
    }

    struct Ranked: Decodable {
        var pattern: String
        var tokens: [String]
        var ids: [UInt32]
    }

    var text: String
    var cases: [Case]
    var ranked: [Ranked]

    static func contents(of file: String) throws -> Data {
        let folder = try #require(Bundle.module.resourcePath)
        return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/Golden/Tokenizers/\(file)"))
    }

    static func read() throws -> GoldenTokenizers {
        try JSONDecoder().decode(Self.self, from: contents(of: "ids.json"))
    }
}

private func bytes(ofHexadecimal text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
}

@Suite struct FieldTokenizerTests {
    private let golden: GoldenTokenizers

    init() throws { golden = try GoldenTokenizers.read() }

    private func read(_ json: String, documentToken: String? = nil) throws -> any Tokenizer {
        try TokenizerCatalog.read(Array(json.utf8).span, from: .file("t/tokenizer.json", documentToken: documentToken))
    }

    /// A golden tokenizer, to be changed.
    private func json(_ name: String) throws -> String {
        try #require(golden.cases.first { $0.file == name + ".json" }).json()
    }

    @Test("a tokenizer.json gives the ids of Hugging Face's tokenizers") func idsOfTheLibrary() throws {
        #expect(golden.cases.count == 8)
        for example in golden.cases {
            let tokenizer = try read(example.json())
            #expect(tokenizer.encode(golden.text) == example.ids, "\(example.file)")
        }
    }

    @Test("ranks give the ids of tiktoken") func idsOfTiktoken() throws {
        #expect(golden.ranked.count == 3)
        for example in golden.ranked {
            let vocabulary = BytePairVocabulary(
                pattern: try #require(PreTokenPattern(rawValue: example.pattern)), takesWholeWords: true,
                spellings: example.tokens.map(bytes),
                added: [AddedToken(id: example.tokens.count, content: "<|endoftext|>", isSpecial: true)],
                merges: .byRank, documentToken: example.tokens.count)
            let tokenizer = try BytePairTokenizer(vocabulary, from: example.pattern)
            #expect(tokenizer.encode(golden.text + "\n  ") == example.ids, "\(example.pattern)")
        }
    }

    @Test("a stored tokenizer of another software is restored, and texts come back") func storing() throws {
        for example in golden.cases {
            let tokenizer = try read(example.json())
            let restored = try readTokenizer(Array(tokenizer.serialized.utf8), from: "stored")
            #expect(restored.identity == tokenizer.identity && restored.endOfText == tokenizer.endOfText)
            #expect(restored.vocabularySize == tokenizer.vocabularySize)
            #expect(restored.encode(golden.text) == example.ids)
            guard !example.file.contains("NFC") else { continue }
            #expect(
                restored.decode(example.ids.map(Int.init)) == example.spelled(Array(golden.text.utf8)),
                "\(example.file)")
        }
    }

    @Test("pieces of a text give the tokens of the whole, also of invalid UTF-8") func pieces() throws {
        var random = TestRandom(31)
        var text = Array(golden.text.utf8)
        for _ in 0..<200 {
            text.insert(UInt8.random(in: 128...255, using: &random), at: Int.random(in: 0...text.count, using: &random))
        }
        for example in golden.cases {
            let tokenizer = try read(example.json()), whole = tokenizer.encode(text)
            if !example.file.contains("NFC") { #expect(tokenizer.decode(whole.map(Int.init)) == example.spelled(text)) }
            for most in [3, 40, 700] {
                var encoder = tokenizer.makeEncoder()
                var tokens: [UInt32] = [], start = 0, end = 0
                while start < text.count || end < text.count {
                    end = min(text.count, end + Int.random(in: 1...most, using: &random))
                    start += encoder.encode(text[start..<end].span, isEnd: end == text.count, into: &tokens)
                }
                #expect(tokens == whole, "\(example.file), \(most)")
            }
        }
    }

    @Test("NFC leaves invalid bytes where they are, beside marks that compose") func normalization() throws {
        let tokenizer = try read(json("qwen2-NFC-added-tokens"))
        let cases: [([UInt8], [UInt8])] = [
            (Array("e\u{301}".utf8), Array("é".utf8)),
            (
                Array("e".utf8) + [0xFF] + Array("\u{301}\u{316}".utf8),
                Array("e".utf8) + [0xFF] + Array("\u{316}\u{301}".utf8)
            ),
            (Array("\u{1100}\u{1161}\u{11A8}".utf8), Array("각".utf8)), (Array("か\u{3099}".utf8), Array("が".utf8)),
            // U+0899 is of Unicode 14.0: it neither moves nor lets others pass.
            (Array("a\u{899}\u{301}".utf8), Array("a\u{899}\u{301}".utf8)),
        ]
        for (text, normalized) in cases {
            #expect(tokenizer.decode(tokenizer.encode(text).map(Int.init)) == normalized, "\(text)")
        }
    }

    @Test("tokens that Unicode holds for equal are two tokens") func equalKeys() throws {
        let text = try json("characters-Prepend")
        let added = text.replacing(#""vocab": {"#, with: "\"vocab\": {\"\u{212B}\": 5000, \"\u{C5}\": 5001, ")
        let tokenizer = try read(added)
        #expect(tokenizer.encode("\u{212B}\u{C5}").suffix(2) == [5000, 5001])
        let twice = failure { _ = try read(added.replacing("\u{C5}", with: "\u{212B}")) }
        #expect(twice?.message.contains("stands twice") == true)
    }

    @Test("names of special tokens are text, other added tokens are tokens") func addedTokens() throws {
        let tokenizer = try read(json("qwen2-NFC-added-tokens"))
        #expect(tokenizer.encode("<tool_call>") == [UInt32(tokenizer.vocabularySize - 1)])
        #expect(tokenizer.encode("<|endoftext|>").count > 1 && tokenizer.bytes(of: tokenizer.endOfText) == [])
        #expect(tokenizer.decode([tokenizer.vocabularySize - 1]) == Array("<tool_call>".utf8))
    }

    @Test("the token that ends a document is named, known or in tokenizer_config.json") func documentTokens() throws {
        let folder = try TemporaryFolder()
        let text = try json("llama3").replacing("<|end_of_text|>", with: "<|stop|>")
        let path = try folder.write(text, to: "tokenizer.json")
        let refused = failure { _ = try readTokenizer(inFile: path) }
        #expect(refused?.message.contains("`<|stop|>`, `<|eot_id|>`") == true, "\(refused?.message ?? "accepted")")
        let named = try readTokenizer(inFile: path, documentToken: "<|stop|>")
        #expect(named.endOfText == named.vocabularySize - 2)
        try folder.write(#"{"eos_token": {"content": "<|eot_id|>"}}"#, to: "tokenizer_config.json")
        #expect(try readTokenizer(inFile: path).endOfText == named.vocabularySize - 1)
        #expect(failure { _ = try readTokenizer(inFile: path, documentToken: "stop") }?.status == .configuration)
        let merges = try folder.write("#version: 0.2\na b\n", to: "merges.txt")
        let other = failure { _ = try readTokenizer(inFile: merges, documentToken: "<|stop|>") }
        #expect(other?.message.contains("is no tokenizer.json") == true)
    }

    @Test(
        "what would give other tokens is refused by name",
        arguments: [
            ("gpt2", #""ByteLevel""#, #""Metaspace""#, "does not end in ByteLevel"),
            ("llama3", #"{1,3}"#, #"{1,2}"#, "the regular expression"),
            ("llama3", #""Isolated""#, #""MergedWithNext""#, "a Split with another behavior"),
            (
                "gpt2", #""rstrip": false, "normalized": false, "special": true"#,
                #""rstrip": true, "normalized": false, "special": false"#, "single_word, lstrip or rstrip"
            ),
            ("qwen2-NFC-added-tokens", #""NFC""#, #""NFD""#, "the normalizer NFD"),
            ("gpt2", #""id": 0,"#, #""id": 1,"#, "is that of another token"),
            ("characters-Prepend", "<0x0A>", "<0x0a>", "byte_fallback without 256 tokens"),
            ("characters-Prepend", #""prepend": "▁""#, #""prepend": "_""#, "byte_fallback without `Prepend`"),
            ("characters-Prepend", #""▁t""#, #""t▁""#, "has `▁` behind another character"),
            ("gpt2", #""dropout": null"#, #""dropout": 0.1"#, "dropout"),
            ("gpt2", #""type": "BPE""#, #""type": "Unigram""#, "model.type Unigram is not supported"),
            ("llama3", #""type": "BPE""#, #""type": "WordPiece""#, "model.type WordPiece is not supported"),
            ("gpt2", #""type": "BPE""#, #""type": "WordLevel""#, "model.type WordLevel is not supported"),
            ("gpt2", #""model":"#, #""models":"#, "has no `model`"),
            ("gpt2", #""id": 0,"#, #""id": 600.5,"#, "the first such number is 600.5 in line "),
            ("gpt2", #""id": 0,"#, #""id": 9223372036854775808,"#, "9223372036854775808 in line "),
            ("gpt2", #""id": 0,"#, #""id": 4194305,"#, "beyond all bounds"),
            ("gpt2", #""id": 0,"#, #""id": 0,,"#, "not JSON: `,` in line "),
            ("gpt2", #""id": 0,"#, #""id" 0,"#, "where a colon should be"),
            ("gpt2", #""id": 0,"#, #""id": 00,"#, "where a value should be"),
        ])
    func refusals(_ name: String, _ old: String, _ new: String, _ words: String) throws {
        let text = try json(name)
        try #require(text.contains(old))
        let refused = failure { _ = try read(text.replacing(old, with: new)) }
        #expect(
            refused?.status == .data && refused?.message.contains(words) == true, "\(refused?.message ?? "accepted")")
    }

    @Test("an eos_token that is no added token is refused by its name") func unknownEndOfSequence() throws {
        let folder = try TemporaryFolder()
        let text = try json("llama3").replacing("<|end_of_text|>", with: "<|stop|>")
        let path = try folder.write(text, to: "tokenizer.json")
        try folder.write(#"{"eos_token": "<|end|>"}"#, to: "tokenizer_config.json")
        let refused = failure { _ = try readTokenizer(inFile: path) }
        #expect(refused?.message.contains("no added token `<|end|>`") == true, "\(refused?.message ?? "accepted")")
        try folder.write(#"{"eos_token": null}"#, to: "tokenizer_config.json")
        let silent = failure { _ = try readTokenizer(inFile: path) }
        #expect(silent?.message.contains("does not say which token ends a document") == true)
        #expect(try readTokenizer(inFile: path, documentToken: "<|stop|>").vocabularySize > 0)
    }

    @Test("stored byte tokens beyond the tokens are refused as what they are") func storedBytes() throws {
        let stored = try read(json("characters-Prepend")).serialized
        let line = try #require(stored.split(separator: "\n").first { $0.hasPrefix("first_byte_token") })
        let moved = stored.replacing(line, with: "first_byte_token 4000000")
        let refused = failure { _ = try readTokenizer(Array(moved.utf8), from: "x") }
        #expect(refused?.message.contains("the tokens of the bytes are 4000000 to 4000255") == true)
    }

    @Test("JSON that ends too early is refused with the place") func truncated() throws {
        let text = try json("gpt2")
        let refused = failure { _ = try read(String(text.prefix(text.count / 2))) }
        #expect(
            refused?.message.contains("not JSON: the text ends in line ") == true, "\(refused?.message ?? "accepted")")
    }

    @Test("a damaged stored tokenizer is refused or gives the bytes of its texts") func damage() throws {
        let stored = Array(try read(json("llama3")).serialized.utf8)
        var random = TestRandom(5), refused = 0
        for _ in 0..<300 {
            var bytes = stored
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 10...127, using: &random)
            let failure = failure {
                let tokenizer = try readTokenizer(bytes, from: "x")
                #expect(tokenizer.vocabularySize <= BytePairVocabulary.largestID + 1)
                _ = tokenizer.encode("a line of text, 12")
            }
            if failure != nil { refused += 1 }
        }
        #expect(refused > 20 && refused < 300)
        for count in [0, 30, stored.count / 2, stored.count - 1] {
            #expect(failure { _ = try readTokenizer(Array(stored[..<count]), from: "x") }?.status == .data)
        }
    }
}
