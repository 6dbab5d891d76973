import Configuration
import Data
import Diagnostics
import Foundation
import TestSupport
import Testing

/// Documents in Parquet files, by the files of scripts/golden/parquet.py.
@Suite struct ParquetDocumentsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func golden(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: tests.appending(path: "ParquetTests/Golden/\(name)")))
    }

    /// The tokens of the documents at `path`, and their ends and digests.
    private func tokens(_ path: String, field: String? = nil, report: (String) -> Void = silent) throws -> [UInt64] {
        let output = folder("out-\(UUID().uuidString).tokens")
        _ = try tokenizeFiles(
            [folder(path)], textField: field, tokenizer: .bytes, output: output, format: .switchyard, report: report)
        let file = try TokenFile(output)
        return TokenDataset(file).array.map(UInt64.init)
            + (0..<file.documentCount).flatMap { [file.document($0).end, file.document($0).hash] }
    }

    /// The texts of a golden file as JSON lines; nulls are no documents.
    private func writeLines(_ name: String, to path: String) throws {
        let lines = String(decoding: try golden(name), as: UTF8.self).split(separator: "\n").filter { $0 != "null" }
        try folder.write(lines.map { "{\"text\": \($0)}\n" }.joined(), to: path)
    }

    @Test(
        "Parquet files give the tokens and documents of the same texts as JSON lines, under any name",
        arguments: ["rows-plain-none-v1", "rows-dictionary-snappy-v2", "rows-prefixes-zstd-v1", "rows-lengths-gzip-v2"])
    func sameAsLines(_ name: String) throws {
        try writeLines("rows.jsonl", to: "a.jsonl")
        let expected = try tokens("a.jsonl")
        for path in ["t/a.parquet", "u/a.PARQUET", "a.txt", "part-0"] {
            try folder.write(golden("\(name).parquet"), to: path)
            #expect(try tokens(path) == expected, "\(path)")
        }
        #expect(try tokens("t") == expected && tokens("u") == expected)
    }

    @Test func aDocumentOfSeveralPiecesIsOne() throws {
        let long = (0..<800_000).map { "\($0 % 1000)" }.joined(separator: " ")
        try folder.write(
            ["first", long, "", long + ".", "last"].map { "{\"text\": \"\($0)\"}\n" }.joined(), to: "a.jsonl")
        try folder.write(golden("long.parquet"), to: "a.parquet")
        let isEqual = try tokens("a.parquet") == tokens("a.jsonl")
        #expect(isEqual)
    }

    @Test("a named column is read, also one of a struct, and another usual one is reported")
    func columns() throws {
        try writeLines("nested.jsonl", to: "a.jsonl")
        try folder.write(golden("nested.parquet"), to: "nested.parquet")
        #expect(try tokens("nested.parquet", field: "a.b") == tokens("a.jsonl"))
        var said: [String] = []
        _ = try tokens("nested.parquet") { said.append($0) }
        #expect(said.contains("the texts of \(folder("nested.parquet")) are in the field `content`"), "\(said)")
        said = []
        _ = try tokens("nested.parquet", field: "content") { said.append($0) }
        #expect(!said.contains { $0.contains("are in the field") })
    }

    @Test(
        "what cannot be read is refused before the first file is read",
        arguments: ["refused-lz4", "refused-column", "refused-list"])
    func refusals(_ name: String) throws {
        try folder.write(golden("\(name).parquet"), to: "t/b.parquet")
        try folder.write("text", to: "t/a.txt")
        let refused = failure { _ = try tokens("t") }
        #expect(refused?.status == .data && refused?.message.hasPrefix("\(folder("t/b.parquet")): ") == true)
        #expect(failure { _ = try DataConfiguration(train: [folder("t")]).requireFiles() } == refused)
    }

    @Test("Parquet files of one corpus have one column, which is named where it is not the same") func mixedSchemas()
        throws
    {
        try folder.write(golden("required.parquet"), to: "t/a.parquet")
        try folder.write(golden("nested.parquet"), to: "t/b.parquet")
        let refused = failure { _ = try tokens("t") }
        #expect(
            refused?.message
                == "\(folder("t/b.parquet")) has its texts in the column `content`, and \(folder("t/a.parquet")) in `text`"
        )
        #expect(refused?.advice?.contains("data.text_field") == true)
        #expect(failure { _ = try DataConfiguration(train: [folder("t")]).requireFiles() } == refused)
        let missing = failure { _ = try tokens("t", field: "content") }
        #expect(missing?.message == "\(folder("t/a.parquet")): there is no column `content`; the columns are `text`")
        try folder.write(#"{"content": "a"}"#, to: "u/a.jsonl")
        try folder.write(golden("required.parquet"), to: "u/b.parquet")
        #expect(try tokens("u").count > 100)
    }

    @Test("a pattern stands for the files that it matches, in the order of their names") func patterns() throws {
        for (name, text) in [("c", "3"), ("a", "1"), ("b", "2")] { try folder.write(text, to: "t/\(name).txt") }
        try folder.write("4", to: "t/d/e.txt")
        #expect(try tokens("t/[a-c].txt") == [49, 256, 50, 256, 51, 256] + tokens("t/?.txt").dropFirst(6))
        #expect(try tokens("t/*") == tokens("t"))
        #expect(failure { _ = try tokens("t/*.parquet") }?.status == .noInput)
        // What is written may not be what a pattern matches.
        let refused = failure {
            _ = try tokenizeFiles(
                [folder("t/*.txt")], tokenizer: .bytes, output: folder("t/a.txt"), format: .nanogpt, report: silent)
        }
        #expect(refused?.status == .usage)
        #expect(try folder.read("t/a.txt") == [49])
    }

    @Test func aCompressedParquetFileIsRefused() throws {
        try folder.write(Compressed.gzip(golden("required.parquet")), to: "a.parquet.gz")
        let refused = failure { _ = try tokens("a.parquet.gz") }
        #expect(refused?.message.contains("is a Parquet file that gzip has compressed") == true)
    }

    @Test func aNameWithoutTheContentsIsRefused() throws {
        try folder.write("text", to: "a.parquet")
        #expect(failure { _ = try tokens("a.parquet") }?.status == .data)
    }

    @Test("a preview counts the texts and not the file") func preview() throws {
        // 3 MB of text, six times: more than a preview tokenizes, in a file of kilobytes.
        try folder.write(golden("long.parquet"), to: "t/0.parquet")
        func preview() throws -> Int? {
            let settings = DataConfiguration(train: [folder("t")])
            var tokens: Int?
            _ = try Corpus.preview(
                settings: settings, directory: folder("data"), tokenizer: nil, scratch: folder.path
            ) { tokens = $0.train[0].count }
            return tokens
        }
        let tokens = try #require(try preview())
        #expect(tokens > 6_000_000 && tokens < 1 << 23)
        for copy in 1..<3 { try folder.write(golden("long.parquet"), to: "t/\(copy).parquet") }
        #expect(try preview() == nil)
    }
}
