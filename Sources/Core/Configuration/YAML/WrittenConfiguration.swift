package import Diagnostics

/// A configuration that a program writes: sections of keys in their order, with comments, as YAML that reads back.
package struct WrittenConfiguration: Sendable {
    package enum Value: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral {
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        /// One of the words that a key knows, or another value as YAML has it.
        case word(String)
        /// Any text.
        case text(String)

        package init(integerLiteral value: Int) { self = .integer(value) }
        package init(floatLiteral value: Double) { self = .number(value) }
        package init(booleanLiteral value: Bool) { self = .boolean(value) }

        fileprivate var yaml: String {
            switch self {
            case .integer(let value): "\(value)"
            case .number(let value): yamlNumber(value)
            case .boolean(let value): "\(value)"
            case .word(let value): value
            case .text(let value): doubleQuoted(value)
            }
        }
    }

    private var lines: [String]

    /// - Parameter heading: comments at the top
    package init(heading: [String] = []) { lines = heading.map { "# " + $0 } }

    /// - Parameters:
    ///   - section: empty for keys at the top
    ///   - values: of the section's keys, in the order in which they are written
    ///   - comments: by key, before which they stand
    package mutating func add(
        _ section: String = "", _ values: KeyValuePairs<String, Value>, comments: [String: String] = [:]
    ) {
        let indent = section.isEmpty ? "" : "  "
        if !section.isEmpty { lines.append("\(section):") }
        for (key, value) in values {
            if let comment = comments[key] { lines.append("\(indent)# \(comment)") }
            lines.append("\(indent)\(key): \(value.yaml)")
        }
    }

    package var yaml: String { lines.joined(separator: "\n") + "\n" }

    /// What is written, as a reader finds it.
    /// - Parameter source: what to call it in messages
    /// - Throws: `configuration` for what cannot be trained
    package func read(as source: String) throws(Failure) -> RunConfiguration {
        try RunConfiguration(ConfigurationDocument(yaml: yaml, file: source))
    }
}

/// A double-quoted YAML scalar.
func doubleQuoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
        switch scalar {
        case "\\", "\"": "\\\(scalar)"
        case _ where scalar.properties.generalCategory == .control:
            "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        default: String(scalar)
        }
    }
    return "\"\(escaped.joined())\""
}

/// A number with a point before its exponent: readers of YAML 1.1, such as PyYAML, take `1e-05` for a text.
func yamlNumber(_ number: Double) -> String {
    let text = shortest(number)
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
}
