import Conversion
import Data
import Diagnostics
import Foundation
import Testing
import Tokenizers

struct TokenizerFilesTests {
    private func bytePairs() throws -> any Tokenizer {
        try readTokenizer(Array("#version: 0.2\na b\nab c\nĠ a\n".utf8), from: "merges")
    }

    @Test func eachComesBackAsItWas() throws {
        for tokenizer in [ByteTokenizer(), try bytePairs()] as [any Tokenizer] {
            let json = try ExportedTokenizer(tokenizer, context: 8).json()
            #expect(try importedTokenizer(json, "t").serialized == tokenizer.serialized)
        }
    }

    @Test func bytesKeepTheirNumbers() throws {
        let json = String(decoding: try ExportedTokenizer(ByteTokenizer(), context: 8).json(), as: UTF8.self)
        for line in ["\"a\" : 97", "\"Ġ\" : 32", "\"<|endoftext|>\" : 256", "\"merges\" : ["] {
            #expect(json.contains(line))
        }
    }

    @Test(arguments: [
        ("\"type\" : \"BPE\"", "\"type\" : \"Unigram\"", "model.type Unigram is not supported"),
        ("\"add_prefix_space\" : false", "\"add_prefix_space\" : true", "add_prefix_space is not supported"),
        ("\"ab\" : 256", "\"ab\" : 258", "two tokens have the id 258"),
        ("\"ab\" : 256", "\"ac\" : 256", "merge 1 is of `ab`, which is not in model.vocab"),
        ("\"!\" : 0,", "", "no token stands for the byte 33"),
        ("\"id\" : 259", "\"id\" : 4194305", "the id 4194305 of `<|endoftext|>` is beyond all bounds"),
        ("<|endoftext|>", "<|start|>", "does not say which token ends a document; its special tokens are `<|start|>`"),
        ("\"version\"", "\"normalizer\" : {\"type\" : \"NFKC\"}, \"version\"", "the normalizer NFKC is not supported"),
        ("\"use_regex\" : true", "\"use_regex\" : false", "a pre_tokenizer of ByteLevel is not supported"),
        ("\"byte_fallback\" : false", "\"byte_fallback\" : true", "byte_fallback without 256 tokens"),
        ("\"vocab\" : {", "\"vocab\" : { \"a\" : 64,", "stands twice"),
    ]) func othersAreRefusedByName(old: String, new: String, words: String) throws {
        let json = String(decoding: try ExportedTokenizer(try bytePairs(), context: 8).json(), as: UTF8.self)
        try #require(json.contains(old))
        // The pre-tokenizer is the last ByteLevel in the order of keys.
        let changed =
            old.hasPrefix("\"add") || old.hasPrefix("\"use")
            ? json.replacing(old, with: new) : json.replacing(old, with: new, maxReplacements: 1)
        let message = refusal { _ = try importedTokenizer(Array(changed.utf8), "t.json") }
        #expect(message?.contains(words) == true, "\(message ?? "accepted")")
    }
}

/// The tokenizer in the bytes of a `tokenizer.json`.
func importedTokenizer(_ json: [UInt8], _ path: String) throws(Failure) -> any Tokenizer {
    try TokenizerCatalog.read(json.span, from: .file(path))
}
