import Configuration
import Data
import Diagnostics
import Foundation
import Testing
import Tokenizers

/// Which reader a file gets, and what of a folder gets none.
@Suite struct DocumentReaderTests {
    private let folder: TemporaryFolder
    private static let lines = "{\"text\": \"one\"}\n{\"text\": \"two\", \"id\": 2}\n"

    init() throws { folder = try TemporaryFolder() }

    private func text(_ path: String, report: (String) -> Void = silent) throws -> String {
        let settings = DataConfiguration(train: [folder(path)])
        try Corpus.prepare(settings: settings, directory: folder("run"), report: report)
        let train = try Corpus.open(settings: settings, directory: folder("run")).train[0]
        return String(decoding: train.array.map { $0 == 256 ? UInt8(ascii: "|") : UInt8($0) }, as: UTF8.self)
    }

    @Test(
        "JSON lines are read as such under every usual name, alone and in a folder",
        arguments: ["a.jsonl", "a.JSONL", "a.ndjson", "part-00000.json", "a.Json"])
    func jsonLinesByName(_ name: String) throws {
        try folder.write(Self.lines, to: "t/\(name)")
        #expect(try text("t/\(name)") == "one|two|")
        #expect(try text("t") == "one|two|")
    }

    @Test(
        "a name that says nothing is decided by the first line",
        arguments: [
            ("\n\(lines)", "one|two|"), ("\u{FEFF}\(lines)", "one|two|"), ("{\n\"text\": 1}", "{\n\"text\": 1}|"),
            ("{a}\n", "{a}\n|"), ("plain\n\(lines)", "plain\n\(lines)|"),
        ])
    func jsonLinesByContent(_ content: String, _ expected: String) throws {
        try folder.write(content, to: "part-00000")
        #expect(try text("part-00000") == expected)
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstLine() throws {
        try folder.write("\u{FEFF}\(Self.lines)", to: "a.jsonl")
        #expect(try text("a.jsonl") == "one|two|")
    }

    @Test("texts are taken from the field that published corpora have them in, and that is said")
    func otherFields() throws {
        try folder.write("{\"content\": \"a\", \"id\": 1}\n{\"id\": 2, \"content\": \"b\"}\n", to: "a.jsonl")
        try folder.write("{\"raw_content\": \"c\", \"body\": \"no\"}\n", to: "b.jsonl")
        try folder.write("{\"content\": \"no\", \"text\": \"d\"}\n", to: "c.jsonl")
        #expect(try text("a.jsonl") == "a|b|" && text("b.jsonl") == "c|" && text("c.jsonl") == "d|")
        var said: [String] = []
        try Corpus.prepare(
            settings: DataConfiguration(train: ["a", "b", "c"].map { folder("\($0).jsonl") }), directory: folder("run")
        ) { said.append($0) }
        #expect(said.contains("the texts of \(folder("a.jsonl")) are in the field `content`"), "\(said)")
        #expect(said.contains("the texts of \(folder("b.jsonl")) are in the field `raw_content`"), "\(said)")
        #expect(!said.contains { $0.contains("`text`") }, "\(said)")
    }

    @Test(
        "numbers that are not finite, as Python writes them, are accepted beside the text, and nothing else that is no JSON"
    )
    func numbersThatAreNotFinite() throws {
        let lines = """
            {"text": "NaN, Infinity", "score": NaN}
            {"meta": {"a": [Infinity, -Infinity,NaN], "b": "x: NaN"}, "text": "two"}
            """
        try folder.write(lines, to: "a.jsonl")
        #expect(try text("a.jsonl") == "NaN, Infinity|two|")
        for wrong in [
            "{\"text\": \"a\", \"b\": nan}", "{\"text\": \"a\", \"b\": 1NaN}", "{\"text\": \"a\", \"b\": NaNo}",
            "{NaN: 1}",
        ] {
            try folder.write(wrong, to: "b.jsonl")
            #expect(throws: Failure.self, "\(wrong)") { try text("b.jsonl") }
        }
        try folder.write("{\"text\": NaN}", to: "c.jsonl")
        let failure = try #require(throws: Failure.self) { try text("c.jsonl") }
        #expect(failure.message.contains("the field `text` is not a string"))
    }

    @Test func aFirstLineThatIsTooLongIsCalledThat() throws {
        try folder.write("{\"text\": \"" + String(repeating: "a", count: 1 << 26) + "\"}\n" + Self.lines, to: "a.jsonl")
        let failure = try #require(throws: Failure.self) { try text("a.jsonl") }
        #expect(failure.message.contains("line is longer than 67.1 MB"), "\(failure.message)")
    }

    @Test(arguments: [
        ("a.json", "[\n{\"text\": \"one\"}]", "does not hold JSON lines"),
        ("a.json", "{\n\"text\": \"one\"}", "does not hold JSON lines"),
        ("a.json", "plain", "does not hold JSON lines"),
        (
            "story.jsonl", "{\"story\": \"one\", \"id\": 2}\n",
            ":1: there is no field `text`; the fields are `story`, `id`"
        ),
        ("story.json", "\n{\"story\": \"one\"}\n", ":2: there is no field `text`; the fields are `story`"),
        ("part", "{\"story\": \"one\"}\n", ":1: there is no field `text`; the fields are `story`"),
        (
            "two.jsonl", "{\"content\": \"one\"}\n{\"text\": \"two\"}\n",
            ":2: there is no field `content`; the fields are `text`"
        ),
    ])
    func whatIsNoTextIsRefused(_ name: String, _ content: String, _ complaint: String) throws {
        try folder.write("fine", to: "fine.txt")
        try folder.write(content, to: name)
        let refused = failure {
            try Corpus.prepare(
                settings: DataConfiguration(train: [folder("fine.txt"), folder(name)]), directory: folder("run"),
                report: silent)
        }
        #expect(refused?.status == .data && refused?.message.contains(complaint) == true, "\(refused?.message ?? "-")")
    }

    @Test(
        "files of another kind are refused by what they are, under any name",
        arguments: [
            ([UInt8](arrayLiteral: 0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00), "compressed by xz"),
            ([0x04, 0x22, 0x4D, 0x18, 1], "by lz4"),
            ([0x89] + Array("HDF\r\n\u{1A}\n".utf8), "an HDF5 file"), ([0x93] + Array("NUMPY 1".utf8), "a NumPy array"),
            (Array("PK\u{3}\u{4}1".utf8), "a zip archive"),
        ])
    func signaturesAreKnown(_ bytes: [UInt8], _ kind: String) throws {
        for name in ["a.txt", "a.jsonl", "a.jsonl.gz", "a"] {
            try folder.write(bytes, to: name)
            let refused = failure { _ = try text(name) }
            #expect(refused?.status == .data && refused?.message.contains(kind) == true)
        }
        try folder.write("PAR1 begins a text", to: "b.txt")
        try folder.write("BZh? Who?!", to: "c.txt")
        #expect(try text("b.txt") == "PAR1 begins a text|" && text("c.txt") == "BZh? Who?!|")
    }

    @Test(
        "the last `text` of a line counts",
        arguments: [
            ("{\"text\": \"a\", \"text\": \"b\"}", "b|"), ("{\"text\": 1, \"text\": \"b\"}", "b|"),
            ("{\"text\": \"a\", \"x\": {\"text\": \"c\"}, \"te\\u0078t\": \"b\\n\"}", "b\n|"),
            ("{\"x\": \"\\\"text\\\": 1\", \"text\": \"b\"}", "b|"),
            ("{\"text\": \"a\", \"text\": \"\"}\n{\"text\": \"z\"}", "z|"),
            ("{\"a\": [1, {\"text\": \"c\"}, \"]\"], \"text\": \"a,}\", \"text\": \"b\"  }", "b|"),
        ])
    func theLastOneCounts(_ line: String, _ expected: String) throws {
        try folder.write(line, to: "a.jsonl")
        #expect(try text("a.jsonl") == expected)
    }

    @Test(arguments: [
        "{\"text\": \"a\", \"text\": \"b\"", "{\"text\": \"a\", \"text\": \"b\" x}",
        "{\"text\": \"a\" \"text\": \"b\"}",
    ])
    func aKeyTwiceMakesNoJSONOfWhatIsNone(_ line: String) throws {
        try folder.write(line, to: "a.jsonl")
        #expect(failure { _ = try text("a.jsonl") }?.message.hasSuffix(":1: not valid JSON") == true)
    }

    @Test("what of a folder is not read is said by kind, number and bytes") func skippedFilesAreSaid() throws {
        for (name, content) in [
            ("t/a.jsonl", Self.lines), ("t/b.csv.gz", "12345"), ("t/c.tar.GZ", "123"), ("t/x/d.png", "1"),
            ("t/meta.json", "{\"version\": 1}"), ("t/.hidden.txt", "12"), ("t/.git/x", "1"), ("t/README", "1234"),
        ] {
            try folder.write(content, to: name)
        }
        try FileManager.default.createSymbolicLink(atPath: folder("t/lost"), withDestinationPath: "nowhere")
        let odd = (Array(folder("t/").utf8) + [0xFF, 0x2E, 0x74, 0]).map { CChar(bitPattern: $0) }
        let file = try unsafe #require(fopen(odd, "w"))
        unsafe fputs("123456", file)
        unsafe fclose(file)
        var said: [String] = []
        #expect(try text("t") { said.append($0) } == "one|two|")
        let expected =
            "not read: 9 files, 35 bytes: 1 .json without lines that have a text (14 bytes), 2 .gz (8 bytes), "
            + "1 whose name is not UTF-8 (6 bytes), 1 without a suffix (4 bytes), 2 hidden (2 bytes), 1 .png (1 byte), "
            + "1 that is a broken link (0 bytes)"
        #expect(said.first == expected)
        said = []
        _ = try text("t") { said.append($0) }
        #expect(said.first == expected && said.last?.hasPrefix("using ") == true)
        let summary = try tokenizeFiles(
            [folder("t")], tokenizer: .bytes, output: folder("t.tokens"), format: .switchyard, report: silent)
        #expect(summary.skipped.count == 9 && summary.skipped.bytes == 35 && summary.documents == 2)
        #expect(
            try DataConfiguration(train: [folder("t")]).requireFiles().description == String(expected.dropFirst(10)))
    }

    @Test func aLostTextIsNotPassedOver() throws {
        try folder.write("1", to: "t/a.txt")
        try FileManager.default.createSymbolicLink(atPath: folder("t/b.jsonl"), withDestinationPath: "nowhere")
        #expect(failure { _ = try text("t") }?.status == .noInput)
    }

    @Test func jsonLinesUnderATextsNameAreDoubted() throws {
        try folder.write(Self.lines, to: "a.txt")
        var said: [String] = []
        #expect(try text("a.txt") { said.append($0) } == Self.lines + "|")
        #expect(said.contains { $0.contains("looks like JSON lines") })
    }

    /// Pieces have some MiB: documents that are longer, in both formats and of both tokenizers, among shorter and empty ones.
    @Test("a document of several pieces gives the tokens of the whole", arguments: ["a.txt", "a.jsonl"])
    func piecesAreOneDocument(_ name: String) throws {
        let long =
            (0..<150_000).map { "word \($0 % 977)  日本\n" }.joined() + String(repeating: "x", count: 3 << 20) + " end"
        let documents = name == "a.txt" ? [long] : ["first", long, "", long, "last"]
        let lines = documents.map { "{\"text\": \"\($0.replacing("\n", with: "\\n"))\"}\n" }
        let path = try folder.write(name == "a.txt" ? long : lines.joined(), to: name)
        let merges = try readTokenizer(Array("#version: 0.2\nx x\nxx xx\nĠ w\nĠw o\n".utf8), from: "merges")
        for tokenizer: any Tokenizer in [ByteTokenizer(), merges] {
            try Corpus.prepareEvaluation(of: [path], tokenizer: tokenizer, directory: folder("e"), report: silent)
            let read = try Corpus.openEvaluation(of: [path], tokenizer: tokenizer, directory: folder("e")).array
            let expected = documents.filter { !$0.isEmpty }
                .flatMap { tokenizer.encode($0).map(Int.init) + [tokenizer.endOfText] }
            // A difference is not shown: finding one among millions of tokens takes minutes.
            let isEqual = read == expected
            #expect(isEqual, "\(read.count) tokens, expected \(expected.count)")
        }
    }

    @Test(
        "a document that is no text is refused with its byte, wherever that is", arguments: [0, 5, 1 << 20, 3_000_000])
    func zeroBytesAreRefused(_ offset: Int) throws {
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 3_000_001)
        bytes[offset] = 0
        let path = try folder.write(bytes, to: "a.txt")
        #expect(failure { _ = try text("a.txt") }?.message == "\(path) is not text: byte \(offset) is NUL")
    }

    @Test("an empty file has no documents under any name", arguments: ["a.txt", "a.jsonl", "a.json", "a"])
    func emptyFiles(_ name: String) throws {
        try folder.write("", to: "t/\(name)")
        try folder.write("text", to: "t/b.txt")
        let settings = DataConfiguration(train: [folder("t/\(name)"), folder("t/b.txt")])
        try Corpus.prepare(settings: settings, directory: folder("run"), report: silent)
        #expect(try Corpus.open(settings: settings, directory: folder("run")).train[0].count == 5)
        #expect(try text("t") == "text|")
    }
}
