import Configuration
import Data
import Diagnostics
import Foundation
import TestSupport
import Testing

/// Compressed documents, which read like the same documents uncompressed.
@Suite struct CompressedDocumentsTests {
    private let folder: TemporaryFolder
    private static let lines =
        "{\"text\": \"one\"}\n\n{\"text\": \"\"}\n{\"text\": \"two\", \"id\": 2}\n{\"text\": \"é\"}"

    init() throws { folder = try TemporaryFolder() }

    enum Format: String, CaseIterable, CustomTestStringConvertible {
        case gz, zst

        var testDescription: String { rawValue }

        func compress(_ text: String) throws -> [UInt8] {
            try self == .gz ? Compressed.gzip(Array(text.utf8)) : Compressed.zstandard(Array(text.utf8))
        }
    }

    /// The whole token file of what is at `path`, but for what it says of that.
    private func tokens(_ path: String, report: (String) -> Void = silent) throws -> [UInt64] {
        let output = folder("out-\(UUID().uuidString).tokens")
        _ = try tokenizeFiles([folder(path)], tokenizer: .bytes, output: output, format: .switchyard, report: report)
        let file = try TokenFile(output)
        return TokenDataset(file).array.map(UInt64.init)
            + (0..<file.documentCount).flatMap { [file.document($0).end, file.document($0).hash] }
    }

    @Test(
        "compressed documents give the tokens and documents of the plain ones, alone and in a folder",
        arguments: ["a.txt", "a.jsonl", "a.JSON", "a.ndjson", "a.md"], Format.allCases)
    func sameAsPlain(_ name: String, _ format: Format) throws {
        // Pieces of documents have a MiB, those of files a quarter: this has several of each.
        let long = (0..<200_000).map { "{\"text\": \"line \($0 * 7919 % 10_007)\"}\n" }.joined()
        for (number, text) in [Self.lines, "\u{FEFF}" + Self.lines, long].enumerated() {
            try folder.write(text, to: "plain\(number)/\(name)")
            try folder.write(format.compress(text), to: "packed\(number)/\(name).\(format.rawValue)")
            let expected = try tokens("plain\(number)/\(name)")
            for path in ["packed\(number)/\(name).\(format.rawValue)", "packed\(number)"] {
                let isEqual = try tokens(path) == expected
                #expect(isEqual, "text \(number), \(path)")
            }
        }
    }

    @Test("a document of several pieces is one", arguments: ["a.txt", "a.jsonl"], Format.allCases)
    func longDocuments(_ name: String, _ format: Format) throws {
        let words = (0..<400_000).map { "word \($0 * 7919 % 10_007)" }.joined(separator: " ")
        let text = name == "a.txt" ? words : "{\"text\": \"\(words)\"}\n{\"text\": \"next\"}\n"
        try folder.write(text, to: name)
        try folder.write(format.compress(text), to: "\(name).\(format.rawValue)")
        let isEqual = try tokens(name) == tokens("\(name).\(format.rawValue)")
        #expect(isEqual)
    }

    @Test("the contents decide, whatever the name", arguments: Format.allCases) func contentsDecide(_ format: Format)
        throws
    {
        try folder.write(format.compress(Self.lines), to: "a")
        try folder.write(format.compress(Self.lines), to: "a.jsonl")
        try folder.write(format.compress(Self.lines), to: "a.jsonl.gz")
        try folder.write(Self.lines, to: "plain.jsonl")
        let expected = try tokens("plain.jsonl")
        #expect(try tokens("a") == expected && tokens("a.jsonl") == expected && tokens("a.jsonl.gz") == expected)
        try folder.write("", to: "t/empty.txt.gz")
        try folder.write(format.compress(""), to: "t/nothing.jsonl.zst")
        try folder.write(format.compress(""), to: "t/nothing.json.zst")
        try folder.write(Self.lines, to: "t/plain.jsonl")
        #expect(try tokens("t") == expected)
    }

    @Test("what is called compressed and is not is refused", arguments: ["a.jsonl.gz", "a.txt.zst", "a.gz"])
    func plainUnderACompressedName(_ name: String) throws {
        try folder.write(Self.lines, to: name)
        let refused = failure { _ = try tokens(name) }
        #expect(refused?.status == .data && refused?.message.contains("is not compressed, although") == true)
        #expect(failure { _ = try DataConfiguration(train: [folder(name)]).requireFiles() } == refused)
    }

    @Test("damage is refused before anything is trained on", arguments: Format.allCases)
    func damage(_ format: Format) throws {
        let whole = try format.compress(Self.lines), name = "a.jsonl.\(format.rawValue)"
        try folder.write(Array(whole.dropLast(3)), to: name)
        #expect(failure { _ = try tokens(name) }?.message.contains("is truncated") == true)
        let twice = try format == .gz ? Compressed.gzip(whole) : Compressed.zstandard(whole)
        try folder.write(twice, to: "b.jsonl.gz")
        #expect(failure { _ = try tokens("b.jsonl.gz") }?.message.contains("that was compressed again") == true)
        try folder.write(format.compress("{\"text\": \"a\"}\n{\"text\": 3}\n"), to: name)
        #expect(failure { _ = try tokens(name) }?.message == "\(folder(name)):2: the field `text` is not a string")
        try folder.write(format.compress("text\u{0}"), to: "a.txt.gz")
        #expect(failure { _ = try tokens("a.txt.gz") }?.message == "\(folder("a.txt.gz")) is not text: byte 4 is NUL")
    }

    @Test("a file that lies compressed beside itself is read once, and that is said") func bothForms() throws {
        try folder.write(Self.lines, to: "t/a.jsonl")
        try folder.write(Compressed.gzip(Array(Self.lines.utf8)), to: "t/a.jsonl.gz")
        var said: [String] = []
        let found = try tokens("t") { said.append($0) }
        #expect(try found == tokens("t/a.jsonl"))
        let bytes = try folder.read("t/a.jsonl.gz").count
        #expect(
            said.contains(
                "not read: 1 file, \(bytes) bytes: 1 compressed beside the same uncompressed (\(bytes) bytes)"),
            "\(said)")
    }

    @Test("a preview counts what a compressed file becomes") func preview() throws {
        func preview(_ path: String) throws -> Int? {
            let settings = DataConfiguration(train: [folder(path)])
            var tokens: Int?
            _ = try Corpus.preview(
                settings: settings, directory: folder("data"), tokenizer: nil, scratch: folder.path
            ) { tokens = $0.train[0].count }
            return tokens
        }
        let text = String(repeating: "0123456789abcdef", count: 1 << 20)
        try folder.write(Compressed.zstandard(Array(text.utf8)), to: "whole.txt.zst")
        #expect(try preview("whole.txt.zst") == text.utf8.count + 1)
        try folder.write(Compressed.zstandard(Array((text + "x").utf8)), to: "more.txt.zst")
        #expect(try preview("more.txt.zst") == nil)
    }
}
