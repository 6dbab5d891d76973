import JSON

/// The parts of a `tokenizer.json` that spell blanks as `▁`.
enum MetaspaceJSON {
    static let normalizer: JSONValue = sequence(
        "normalizers", [["type": .text("Prepend"), "prepend": .text("▁")], replace(" ", by: "▁")])

    static let preTokenizer: JSONValue = .object([
        "type": .text("Metaspace"), "replacement": .text("▁"), "prepend_scheme": .text("first"),
        "split": .boolean(false),
    ])

    static let decoder: JSONValue = sequence(
        "decoders",
        [
            replace("▁", by: " "), ["type": .text("ByteFallback")], ["type": .text("Fuse")],
            ["type": .text("Strip"), "content": .text(" "), "start": .integer(1), "stop": .integer(0)],
        ])

    private static func sequence(_ key: String, _ steps: [[String: JSONValue]]) -> JSONValue {
        .object(["type": .text("Sequence"), key: .list(steps.map(JSONValue.object))])
    }

    private static func replace(_ text: String, by other: String) -> [String: JSONValue] {
        ["type": .text("Replace"), "pattern": .object(["String": .text(text)]), "content": .text(other)]
    }
}
