package import Diagnostics
import Platform
import Yams

/// One block of a `ConfigurationDocument`: typed reads with defaults and ranges.
///
/// Every read takes the key, what it means if absent (`default`; nil makes the key required) and what is allowed,
/// and throws a `Failure` naming file, line, key, the value found and the values allowed.
package final class ConfigurationSection {
    package let name: String
    let mapping: Node.Mapping
    private let file: String
    private let isStored: Bool
    private(set) var values: [(key: String, value: String)] = []

    init(name: String, mapping: Node.Mapping, file: String, isStored: Bool) {
        self.name = name
        self.mapping = mapping
        self.file = file
        self.isStored = isStored
    }

    var known: Set<String> { Set(values.map(\.key)) }

    package func path(of key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    /// A failure that points at `key` where it stands in the file.
    package func failure(_ key: String, _ complaint: String, advice: String? = nil) -> Failure {
        let node = mapping[Node(key)]
        return Failure(
            .configuration, "\(file)\(node.map { place(of: $0) } ?? ""): `\(path(of: key))` \(complaint)",
            advice: advice)
    }

    package func integer(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 0...Int.max
    ) throws(Failure) -> Int {
        let value: Int = try read(key, fallback, "a whole number") { node in
            node.scalar.flatMap { Self.wholeNumber($0.string) }
        }
        guard range.contains(value) else {
            throw failure(key, "is \(value); allowed are \(Self.describe(range))")
        }
        return record(key, value)
    }

    /// A whole number of 64 bits, such as a seed.
    package func unsigned(_ key: String, default fallback: UInt64) throws(Failure) -> UInt64 {
        let value = try read(key, fallback, "a whole number from 0 to \(UInt64.max)") { node in
            node.scalar.flatMap { scalar in
                UInt64(scalar.string.replacing("_", with: ""))
                    ?? Self.wholeNumber(scalar.string).flatMap { UInt64(exactly: $0) }
            }
        }
        return record(key, value)
    }

    /// One whole number for every `item`, or a list with one for each of the `count` there are. A list of equal numbers is the
    /// same as the number.
    /// - Returns: one number, or `count`
    package func integers(
        _ key: String, each item: String, count: Int, default fallback: Int, in range: ClosedRange<Int>
    ) throws(Failure) -> [Int] {
        var values = try read(key, [fallback], "a whole number, or a list with one for each \(item)") { node in
            let all = (node.sequence.map { Array($0) } ?? [node]).map {
                $0.scalar.flatMap { Self.wholeNumber($0.string) }
            }
            return all.contains(nil) ? nil : all.compactMap(\.self)
        }
        guard values.count == count || mapping[Node(key)]?.sequence == nil else {
            throw failure(
                key,
                "has \(values.count) number\(values.count == 1 ? "" : "s") for \(count) \(item)\(count == 1 ? "" : "s")",
                advice: "give one for each \(item), or one number, without brackets, for all")
        }
        if let outside = values.first(where: { !range.contains($0) }) {
            throw failure(key, "\(values.count == 1 ? "is" : "has") \(outside); allowed are \(Self.describe(range))")
        }
        if values.allSatisfy({ $0 == values[0] }) { values = [values[0]] }
        self.values.append((key, values.count == 1 ? "\(values[0])" : "\(values)"))
        return values
    }

    package func number(
        _ key: String, default fallback: Double? = nil,
        in range: ClosedRange<Double> = 0...Double.greatestFiniteMagnitude
    ) throws(Failure) -> Double {
        let value: Double = try read(key, fallback, "a number") { node in
            node.scalar.flatMap { Double($0.string.replacing("_", with: "")) }.flatMap { $0.isFinite ? $0 : nil }
        }
        guard range.contains(value) else {
            let upper = range.upperBound == .greatestFiniteMagnitude ? "" : " to \(range.upperBound)"
            throw failure(key, "is \(value); allowed are numbers from \(range.lowerBound)\(upper)")
        }
        values.append((key, yamlNumber(value)))
        return value
    }

    package func boolean(_ key: String, default fallback: Bool? = nil) throws(Failure) -> Bool {
        record(key, try read(key, fallback, "true or false") { $0.bool })
    }

    package func text(_ key: String, default fallback: String? = nil) throws(Failure) -> String {
        let value = try read(key, fallback, "a text") { node in node.scalar?.string }
        recordText(key, [value], list: false)
        return value
    }

    /// One text or a list of them.
    package func texts(_ key: String, default fallback: [String]? = nil) throws(Failure) -> [String] {
        let value = try readTexts(key, fallback)
        recordText(key, value, list: true)
        return value
    }

    /// As `text`, with `~` and variables of the environment expanded: a path, or a word in its place. The resolved
    /// configuration keeps the expanded path.
    package func filePath(_ key: String, default fallback: String? = nil) throws(Failure) -> String {
        let path = try expand(try read(key, fallback, "a text") { node in node.scalar?.string }, of: key)
        recordText(key, [escapedPath(path)], list: false)
        return path
    }

    /// As `texts`, each expanded like `filePath`.
    package func filePaths(_ key: String, default fallback: [String]? = nil) throws(Failure) -> [String] {
        var paths: [String] = []
        for text in try readTexts(key, fallback) { paths.append(try expand(text, of: key)) }
        recordText(key, paths.map(escapedPath), list: true)
        return paths
    }

    /// One of the cases of an enumeration of texts.
    package func choice<T: RawRepresentable<String> & CaseIterable>(
        _ key: String, default fallback: T? = nil
    ) throws(Failure) -> T {
        let allowed = T.allCases.map(\.rawValue)
        let text = try read(key, fallback?.rawValue, "one of " + allowed.joined(separator: ", ")) { $0.scalar?.string }
        guard let value = T(rawValue: text) else {
            let near = nearestName(to: text, among: allowed).map { "did you mean `\($0)`?" }
            throw failure(key, "is `\(text)`; allowed are " + allowed.joined(separator: ", "), advice: near)
        }
        recordText(key, [text], list: false)
        return value
    }

    /// A whole number, or nil for the word `auto`.
    package func integerOrAuto(_ key: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
        if mapping[Node(key)].map({ $0.scalar?.string == "auto" }) ?? true {
            recordText(key, ["auto"], list: false)
            return nil
        }
        return try integer(key, in: range)
    }

    /// A number, or nil for `word`, which is also the default.
    package func number(_ key: String, or word: String, in range: ClosedRange<Double>) throws(Failure) -> Double? {
        if mapping[Node(key)].map({ $0.scalar?.string == word }) ?? true {
            recordText(key, [word], list: false)
            return nil
        }
        return try number(key, in: range)
    }

    func isWord(_ key: String, _ word: String) -> Bool { mapping[Node(key)]?.scalar?.string == word }

    /// The word that `key` has, if it is one of `words`.
    func word(_ key: String, among words: [String]) -> String? {
        guard let word = words.first(where: { isWord(key, $0) }) else { return nil }
        recordText(key, [word], list: false)
        return word
    }

    /// Whether the file or the command line gives `key`.
    package func contains(_ key: String) -> Bool { mapping[Node(key)] != nil }

    /// All keys that are given, known or not.
    var givenKeys: [String] { mapping.keys.map { $0.scalar?.string ?? "a key that is no word" } }

    /// The entries of a list; none if `key` is absent.
    func nodes(_ key: String) throws(Failure) -> [Node] {
        try read(key, [], "a list") { node in node.sequence.map { Array($0) } }
    }

    /// A block within this one, which reads like a section.
    func block(_ name: String, _ mapping: Node.Mapping) -> ConfigurationSection {
        ConfigurationSection(name: name, mapping: mapping, file: file, isStored: isStored)
    }

    /// Notes what `key` resolved to, as YAML has it.
    func record(_ key: String, asWritten yaml: String) { values.append((key, yaml)) }

    // MARK: -

    private func readTexts(_ key: String, _ fallback: [String]?) throws(Failure) -> [String] {
        try read(key, fallback, "a text or a list of texts") { node in
            if let one = node.scalar?.string { return one.isEmpty ? [] : [one] }
            let all = node.sequence?.compactMap { $0.scalar?.string }
            return all?.count == node.sequence?.count ? all : nil
        }
    }

    /// What a stored configuration names need not be there any more, nor the variables it was named with.
    private func expand(_ text: String, of key: String) throws(Failure) -> String {
        do throws(Failure) {
            return try expandedPath(text)
        } catch {
            guard !isStored else { return text }
            throw failure(key, "is \(error.message)", advice: error.advice)
        }
    }

    func read<T>(
        _ key: String, _ fallback: T?, _ expected: String, _ convert: (Node) -> T?
    ) throws(Failure) -> T {
        guard let node = mapping[Node(key)] else {
            guard let fallback else {
                throw Failure(.configuration, "\(file): `\(path(of: key))` is missing; it must be \(expected)")
            }
            return fallback
        }
        guard let value = convert(node) else {
            let found = node.scalar.map { "`\($0.string)`" } ?? (node.sequence != nil ? "a list" : "a block")
            throw failure(key, "must be \(expected), but is \(found)")
        }
        return value
    }

    private func record<T>(_ key: String, _ value: T) -> T {
        values.append((key, "\(value)"))
        return value
    }

    private func recordText(_ key: String, _ texts: [String], list: Bool) {
        let quoted = texts.map(doubleQuoted)
        values.append((key, list ? "[" + quoted.joined(separator: ", ") + "]" : quoted[0]))
    }

    /// `65536`, `65_536` or `6.5536e4`; nil for what is not whole.
    static func wholeNumber(_ text: String) -> Int? {
        let digits = text.replacing("_", with: "")
        if let value = Int(digits) { return value }
        guard digits.lowercased().contains("e"), let value = Double(digits), abs(value) < 9e15 else { return nil }
        return Int(exactly: value)
    }

    static func describe(_ range: ClosedRange<Int>) -> String {
        range.upperBound == Int.max ? "\(range.lowerBound) and more" : "\(range.lowerBound) to \(range.upperBound)"
    }
}
