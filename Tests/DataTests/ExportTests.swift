import Configuration
import Data
import Diagnostics
import Platform
import Testing

@Suite struct ExportTests {
    private let folder: TemporaryFolder
    private let tokens: [UInt8] = [0x61, 0, 0x62, 0, 0, 1, 0x63, 0, 0, 1]

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("ab", to: "texts/1.txt")
        try folder.write("c", to: "texts/2.txt")
    }

    private func export(_ format: TokenFormat, _ output: String) throws -> TokenizationSummary {
        try tokenizeFiles([folder("texts")], tokenizer: .bytes, output: folder(output), format: format, report: silent)
    }

    @Test func nanoGPTIsBareTokens() throws {
        let summary = try export(.nanogpt, "out.bin")
        #expect(try folder.read("out.bin") == tokens)
        #expect(summary.documents == 2 && summary.bytes == 3)
        #expect(summary.tokens == 5 && summary.vocabularySize == 257)
    }

    @Test func llmCHasItsHeader() throws {
        _ = try export(.llmc, "out.bin")
        let header: [UInt8] = [0x88, 0xD8, 0x34, 1] + [1, 0, 0, 0] + [5, 0, 0, 0]
        #expect(try folder.read("out.bin") == header + [UInt8](repeating: 0, count: 1012) + tokens)
    }

    @Test func megatronHasAnIndexBesideTheTokens() throws {
        _ = try export(.megatron, "out")
        #expect(try folder.read("out.bin") == tokens)
        func eight(_ low: UInt8) -> [UInt8] { [low, 0, 0, 0, 0, 0, 0, 0] }
        let head = Array("MMIDIDX\0\0".utf8) + eight(1) + [8] + eight(2) + eight(3)
        let body = [3, 0, 0, 0] + [2, 0, 0, 0] + eight(0) + eight(6) + eight(0) + eight(1) + eight(2)
        #expect(try folder.read("out.idx") == head + body)
    }

    @Test func anUnwritableOutputIsRefusedAndNothingIsLeftBehind() throws {
        #expect(failure { _ = try export(.switchyard, "missing/out.tokens") }?.status == .cannotCreate)
        try folder.write([0x61, 0], to: "texts/3.txt")
        #expect(failure { _ = try export(.switchyard, "out.tokens") }?.status == .data)
        #expect(throws: (any Error).self) { try folder.read("out.tokens") }
        #expect(throws: (any Error).self) { try folder.read("out.tokens.partial") }
    }

    @Test func oneFileHasOneWriter() throws {
        let first = try AtomicFile(folder("x"))
        try first.append([UInt8](repeating: 7, count: 3).span)
        #expect(failure { _ = try AtomicFile(folder("x")) }?.status == .inUse)
        try first.commit()
        #expect(try folder.read("x") == [7, 7, 7])
        let second = try AtomicFile(folder("x"))
        try second.append([UInt8](repeating: 8, count: 1).span)
        #expect(try folder.read("x") == [7, 7, 7])
        try second.commit()
        #expect(try folder.read("x") == [8])
    }

    @Test func aTokenFileIsNotTokenizedAgain() throws {
        _ = try export(.switchyard, "a.tokens")
        let refused = failure {
            _ = try tokenizeFiles(
                [folder("a.tokens")], tokenizer: .bytes, output: folder("b.tokens"), format: .switchyard, report: silent
            )
        }
        #expect(refused?.message.contains("token file already") == true)
    }
}
