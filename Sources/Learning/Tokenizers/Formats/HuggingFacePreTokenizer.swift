import Diagnostics
import JSON

extension HuggingFaceTokenizer {
    /// Whether texts are normalized to NFC; nothing and NFC are supported.
    func isNormalized(_ name: String) throws(Failure) -> Bool {
        let steps = normalizer.map { $0.steps("normalizers") } ?? []
        for step in steps {
            guard case .object(let members) = step, members["type"] == .text("NFC") else {
                throw Self.unsupported("the normalizer \(step.typeName)", name)
            }
        }
        return !steps.isEmpty
    }

    /// Whether the post-processor puts tokens around a text; `ByteLevel` only counts characters.
    var addsTokens: Bool {
        (post_processor.map { $0.steps("processors") } ?? []).contains { $0.typeName != "ByteLevel" }
    }

    /// The pattern that `pre_tokenizer` says with one or two steps.
    func pattern(_ name: String) throws(Failure) -> PreTokenPattern {
        let steps = pre_tokenizer.map { $0.steps("pretokenizers") } ?? []
        guard let last = steps.last, case .object(let byteLevel) = last, byteLevel["type"] == .text("ByteLevel") else {
            throw Self.unsupported("a pre_tokenizer that does not end in ByteLevel", name)
        }
        guard byteLevel["add_prefix_space"] != .boolean(true) else { throw Self.unsupported("add_prefix_space", name) }
        let cutsWords = byteLevel["use_regex"] != .boolean(false)
        guard steps.count <= 2, steps.count == 2 || cutsWords else {
            throw Self.unsupported("a pre_tokenizer of \(steps.map(\.typeName).joined(separator: ", "))", name)
        }
        guard steps.count == 2, case .object(let first) = steps[0] else { return .gpt2 }
        switch (first["type"], cutsWords) {
        case (.text("Digits"), true): return first["individual_digits"] == .boolean(true) ? .gpt2Digit : .gpt2Digits
        case (.text("Split"), false): return try Self.pattern(ofSplit: first, name)
        default: throw Self.unsupported("the pre_tokenizer \(steps[0].typeName) before ByteLevel", name)
        }
    }

    /// Patterns take all of a text: its matches kept apart, and everything else removed, are the same pieces.
    private static func pattern(ofSplit split: [String: JSONValue], _ name: String) throws(Failure) -> PreTokenPattern {
        let inverted = split["invert"] == .boolean(true)
        guard split["behavior"] == .text("Isolated") && !inverted || split["behavior"] == .text("Removed") && inverted
        else { throw unsupported("a Split with another behavior than Isolated", name) }
        guard case .object(let pattern) = split["pattern"], case .text(let expression) = pattern["Regex"] else {
            throw unsupported("a Split without a regular expression", name)
        }
        let known: [PreTokenPattern] = [.gpt2, .llama3, .cl100k, .qwen2, .o200k]
        guard let found = known.first(where: { $0.onigurumaExpression == expression }) else {
            throw unsupported("the regular expression `\(expression)`", name)
        }
        return found
    }
}

extension JSONValue {
    /// What a `Sequence` lists under `key`; of another step itself.
    func steps(_ key: String) -> [JSONValue] {
        guard self != .null else { return [] }
        guard case .object(let members) = self, members["type"] == .text("Sequence"),
            case .list(let steps) = members[key]
        else { return [self] }
        return steps
    }

    var typeName: String {
        if case .object(let members) = self, case .text(let type) = members["type"] { return type }
        return inWords
    }
}
