import Configuration
import Data
import Diagnostics
import Platform
import Testing

@Suite struct TextFilesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ paths: [String]) throws -> String {
        let corpus = try corpus(paths, in: folder)
        let bytes = corpus.train[0].array.map { $0 == 256 ? UInt8(ascii: "|") : UInt8($0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func directoriesAreReadInTheOrderOfNames() throws {
        for (name, content) in [
            ("t/b.txt", "2"), ("t/a/z.md", "1"), ("t/c.jsonl", "{\"text\":\"4\"}"), ("t/B.rst", "0"),
            ("t/bb.text", "3"),
            ("t/.hidden.txt", "X"), ("t/.git/x.txt", "X"), ("t/picture.png", "\u{0}"), ("t/empty.txt", ""),
        ] {
            try folder.write(content, to: name)
        }
        #expect(try text([folder("t")]) == "0|1|2|3|4|")
        #expect(try text([folder("t/c.jsonl"), folder("t/b.txt"), folder("t/")]) == "4|2|0|1|2|3|4|")
    }

    @Test func jsonLinesGiveADocumentEach() throws {
        let lines = """
            {"text": "a\\nb"}

            {"id": 3, "text": "\\u00e9\\ud83d\\ude00", "more": {"text": [1]}}\r
            {"text": ""}
            {"text": "end"}
            """
        #expect(try text([folder.write(lines, to: "a.jsonl")]) == "a\nb|é😀|end|")
    }

    @Test(arguments: [
        ("{\"text\": \"a\"}\n{\"texts\": \"a\"}", ":2: there is no field `text`; the fields are `texts`"),
        ("{\"text\": \"a\"}\n\n{\"text\": 3}", ":3: the field `text` is not a string"),
        ("{\"text\": null}", ":1: the field `text` is not a string"),
        ("{}", ":1: there is no field `text`; the object is empty"),
        (
            "{\"c\": {\"text\": 1}, \"a\\nb\": [\"x\"], \"c\": 2}",
            ":1: there is no field `text`; the fields are `c`, `a?b`"
        ),
        ("{\"text\": \"a\", \"text\": 3}", ":1: the field `text` is not a string"),
        ("[1]", ":1: not a JSON object"), ("\"text\"", ":1: not a JSON object"),
        ("{\"text\": \"a\"", ":1: not valid JSON"),
        ("{\"text\": \"\\ud800\"}", ":1: not valid JSON"), ("hello", ":1: not valid JSON"),
    ])
    func badJSONIsRefusedWithTheLine(_ lines: String, _ complaint: String) throws {
        let path = try folder.write(lines, to: "a.jsonl")
        let refused = failure { _ = try corpus([path], in: folder) }
        #expect(refused?.status == .data && refused?.message == path + complaint, "\(refused?.message ?? "accepted")")
    }

    @Test func binaryEmptyAndMissingCorporaAreRefused() throws {
        func refusal(_ path: String) -> Failure? { failure { _ = try corpus([path], in: folder) } }
        let binary = refusal(try folder.write([0x61, 0x62, 0, 0x63], to: "a.txt"))
        #expect(binary?.status == .data && binary?.message == "\(folder("a.txt")) is not text: byte 2 is NUL")
        let empty = refusal(try folder.write("", to: "b.txt"))
        #expect(empty?.status == .data && empty?.message.contains("the corpus is empty") == true)
        #expect(refusal(try folder.write("\n\n{\"text\": \"\"}\n", to: "c.jsonl"))?.status == .data)
        let missing = refusal(folder("missing.txt"))
        #expect(missing?.status == .noInput && missing?.message.contains("No such file") == true)
        try folder.write("x", to: "pictures/a.png")
        #expect(refusal(folder("pictures"))?.message.contains("holds no text") == true)
    }
}
