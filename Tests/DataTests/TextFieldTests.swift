import Configuration
import Data
import Diagnostics
import Testing

/// Texts in a field that was named.
@Suite struct TextFieldTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ path: String, field: String?, report: (String) -> Void = silent) throws -> String {
        let settings = DataConfiguration(train: [folder(path)], textField: field)
        try Corpus.prepare(settings: settings, directory: folder("run"), report: report)
        let train = try Corpus.open(settings: settings, directory: folder("run")).train[0]
        return String(decoding: train.array.map { $0 == 256 ? UInt8(ascii: "|") : UInt8($0) }, as: UTF8.self)
    }

    @Test(
        "a named field is found wherever it stands",
        arguments: [
            ("story", #"{"text": "no", "story": "yes"}"#, "yes|"),
            ("a.b", #"{"b": "no", "a": {"x": {"b": "no"}, "b": "yes"}}"#, "yes|"),
            ("a.b.c", #"{"a": {"b": {"c": "yes\n"}}}"#, "yes\n|"),
            ("a.b", #"{"a.b": "yes", "a": {"b": "no"}}"#, "yes|"),
            ("a.b", #"{"a": {"b": "no"}, "a.b": "yes"}"#, "yes|"),
            ("a.b.c", #"{"a.b": {"c": "yes"}, "a": 3}"#, "yes|"), ("a.b.c", #"{"a": {"b.c": "yes"}}"#, "yes|"),
            ("a.b", #"{"a": {"b": "no", "b": "yes"}}"#, "yes|"),
            ("a.b", #"{"a": {"b": "no"}, "a": {"b": "yes"}}"#, "yes|"),
            ("a.b", #"{"\u0061": {"\u0062": "yes"}}"#, "yes|"), ("a.b", #"{"a":{"score": NaN, "b": "yes"}}"#, "yes|"),
            ("a..b", #"{"a": {"": {"b": "yes"}}}"#, "yes|"), ("auto.b", #"{"auto": {"b": "yes"}}"#, "yes|"),
            ("é", #"{"e": "no", "é": "yes"}"#, "yes|"),
        ])
    func fieldIsFound(_ field: String, _ line: String, _ expected: String) throws {
        try folder.write(line, to: "a.jsonl")
        #expect(try text("a.jsonl", field: field) == expected)
    }

    @Test(
        "a line without the field is refused",
        arguments: [
            ("story", #"{"text": "a"}"#, "there is no field `story`; the fields are `text`"),
            ("a.b", #"{"a": {"c": "x"}}"#, "there is no field `a.b`; the fields are `a`"),
            ("a.b", #"{"a": "b"}"#, "there is no field `a.b`"),
            ("a.b", #"{"a": [{"b": "x"}]}"#, "there is no field `a.b`"),
            ("a", #"{"a": {"b": "x"}}"#, "the field `a` is not a string"),
            ("a.b", #"{"a": {"b": null}}"#, "the field `a.b` is not a string"),
            ("a.b", #"{"a": {"b": "x"}"#, "not valid JSON"),
        ])
    func linesWithoutTheField(_ field: String, _ line: String, _ complaint: String) throws {
        let path = try folder.write(line, to: "a.jsonl")
        let refused = failure { _ = try text("a.jsonl", field: field) }
        #expect(
            refused?.status == .data && refused?.message.contains("\(path):1: \(complaint)") == true,
            "\(refused as Any)")
        #expect(
            failure { _ = try DataConfiguration(train: [path], textField: field).requireFiles() } == refused)
    }

    @Test("texts are tokenized again when another field is named, and only then") func anotherFieldIsAnotherCorpus()
        throws
    {
        try folder.write(#"{"text": "one", "story": "two"}"# + "\n", to: "a.jsonl")
        for (field, expected, isMadeAgain) in [
            (nil, "one|", true), (nil, "one|", false), ("story", "two|", true), ("story", "two|", false),
            (nil, "one|", true), ("text", "one|", true),
        ] as [(String?, String, Bool)] {
            var said: [String] = []
            #expect(try text("a.jsonl", field: field) { said.append($0) } == expected)
            #expect(said.contains { $0.hasPrefix("tokenized ") } == isMadeAgain, "\(field ?? "auto"): \(said)")
        }
    }

    @Test("a folder is read for the files that have the field, and a field that was named is not reported")
    func directories() throws {
        try folder.write(#"{"story": "one"}"# + "\n", to: "t/a.json")
        try folder.write(#"{"text": "two"}"# + "\n", to: "t/b.json")
        var said: [String] = []
        #expect(try text("t", field: "story") { said.append($0) } == "one|")
        #expect(
            said.contains { $0.contains("1 .json without lines that have a text") }
                && !said.contains { $0.contains("are in the field") })
        #expect(try text("t", field: nil) == "two|")
    }

    @Test func tokenizeTakesTheField() throws {
        try folder.write(#"{"a": {"b": "12345"}}"#, to: "a.jsonl")
        let summary = try tokenizeFiles(
            [folder("a.jsonl")], textField: "a.b", tokenizer: .bytes, output: folder("out.bin"), format: .nanogpt,
            report: silent)
        #expect(summary.bytes == 5 && summary.documents == 1)
    }
}
