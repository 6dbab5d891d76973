import Diagnostics
import Foundation
import Testing
import Tokenizers

@Suite struct TiktokenFileTests {
    private func file(_ lines: [String]) -> [UInt8] { Array((lines.joined(separator: "\n") + "\n").utf8) }

    private func line(_ bytes: [UInt8], _ rank: Int) -> String { "\(Data(bytes).base64EncodedString()) \(rank)" }

    private func refusal(_ lines: [String]) -> String? {
        failure { _ = try TokenizerCatalog.read(file(lines).span, from: .file("my.tiktoken")) }?.message
    }

    @Test("a rank file of an unpublished vocabulary is refused with what is known") func unknown() {
        let lines = (0..<256).map { line([UInt8($0)], $0) }
        #expect(refusal(lines)?.contains("my.tiktoken has 256 ranks") == true)
        #expect(refusal(lines)?.contains("cl100k_base.tiktoken of 100256") == true)
    }

    @Test("damaged lines are refused by their number") func damaged() {
        let first = line([0], 0)
        for bad in ["AQ==", "AQ== x", "AQ== -1", "!!!! 1", "AQ== 99999999", first, line([1], 0), line([0], 1)] {
            #expect(refusal([first, bad])?.contains("my.tiktoken:2") == true, "\(bad)")
        }
    }

    /// Ranks as `r50k_base` has them in number: bytes, then strings of three letters and of four digits.
    @Test("a published vocabulary is known by its name and its number of ranks") func published() throws {
        var tokens = (0..<256).map { [UInt8($0)] }
        tokens += (0..<50_000).map { number in Array("\(100_000 + number)".utf8) }
        let lines = tokens.enumerated().map { line($1, $0) }
        let tokenizer = try TokenizerCatalog.read(file(lines).span, from: .file("x/r50k_base.tiktoken"))
        #expect(tokenizer.endOfText == 50_256 && tokenizer.vocabularySize == 50_257)
        // The whole word is a token although no merges lead to it.
        #expect(tokenizer.encode("100007") == [256 + 7] && tokenizer.encode("7") == [55])
        let other = failure { _ = try TokenizerCatalog.read(file(lines).span, from: .file("cl100k_base.tiktoken")) }
        #expect(other?.message.contains("has 50256 ranks") == true)
    }
}
