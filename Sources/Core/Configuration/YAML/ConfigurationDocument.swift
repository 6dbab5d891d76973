package import Diagnostics
import Platform
import Yams

/// One YAML file of settings with the command line's overrides applied.
///
/// A document is read section by section; every section remembers which keys were asked for, so that what nobody
/// asked for is an error, and what each resolved to, so that the whole resolved configuration can be written down.
package final class ConfigurationDocument {
    let file: String
    private let isStored: Bool
    private var root: Node.Mapping
    private var sections: [ConfigurationSection] = []

    /// - Parameters:
    ///   - yaml: the text of the file
    ///   - file: its name, for messages
    ///   - overrides: `section.key=value`, later ones win
    ///   - isStored: whether this is what an earlier job resolved: a variable of the environment that is not set is then no
    ///     error, and keys of earlier versions are translated
    /// - Throws: a `Failure` with line and column if the text is no YAML mapping, or has a key of an earlier version
    package init(
        yaml: String, file: String, overrides: [String] = [], isStored: Bool = false
    ) throws(Failure) {
        self.file = file
        self.isStored = isStored
        root = try Self.parse(isStored ? RetiredKeys.translated(configuration: yaml) : yaml, file: file)
        try refuseRetiredKeys()
        for override in overrides { try apply(override) }
    }

    private static func parse(_ yaml: String, file: String) throws(Failure) -> Node.Mapping {
        let node: Node?
        do {
            node = try Yams.compose(yaml: yaml)
        } catch {
            throw Failure(.configuration, "\(file) is not valid YAML: \(error)")
        }
        guard let node else { return Node.Mapping([]) }
        guard let mapping = node.mapping else {
            throw Failure(.configuration, "\(file): expected `section:` blocks of `key: value` lines at the top level")
        }
        return try mapping.merged(file: file)
    }

    /// What `overrides` takes to set `key` to a path, whatever is in it.
    package static func override(_ key: String, path: String) -> String {
        "\(key)=\(doubleQuoted(escapedPath(path)))"
    }

    private func apply(_ override: String) throws(Failure) {
        guard let equals = override.firstIndex(of: "=") else {
            throw Failure(.usage, "--set \(override): expected KEY=VALUE, for example --set model.d_model=256")
        }
        let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard path.count <= 2, path.allSatisfy({ !$0.isEmpty }) else {
            throw Failure(.usage, "--set \(override): a key is `name` or `section.name`")
        }
        if let failure = RetiredKeys.failure(for: path.joined(separator: "."), at: "--set \(override)") {
            throw failure
        }
        let value = try Self.parseValue(String(override[override.index(after: equals)...]), of: override)
        // `null` takes a key out of the file: another one can then be given in its place.
        let entry: Node? = value.null == nil ? value : nil
        if path.count == 1 {
            root[Node(path[0])] = entry
        } else {
            var section = try mapping(named: path[0])
            section[Node(path[1])] = entry
            root[Node(path[0])] = Node.mapping(section)
        }
    }

    private func refuseRetiredKeys() throws(Failure) {
        for (section, node) in root {
            for (key, _) in node.mapping ?? [:] {
                guard let section = section.scalar?.string, let name = key.scalar?.string else { continue }
                let failure = RetiredKeys.failure(for: "\(section).\(name)", at: "\(file)\(place(of: key))")
                if let failure { throw failure }
            }
        }
    }

    private static func parseValue(_ text: String, of override: String) throws(Failure) -> Node {
        do {
            return try Yams.compose(yaml: text)?.withoutMarks ?? Node("")
        } catch {
            throw Failure(.usage, "--set \(override): the value is not valid YAML: \(error)")
        }
    }

    /// The block `name:`; the top level itself for `name` "".
    package func section(_ name: String) throws(Failure) -> ConfigurationSection {
        let section = ConfigurationSection(
            name: name, mapping: name.isEmpty ? root : try mapping(named: name), file: file, isStored: isStored)
        sections.append(section)
        return section
    }

    /// The block `name:`, empty if it is not there.
    private func mapping(named name: String) throws(Failure) -> Node.Mapping {
        guard let node = root[Node(name)], node.null == nil else { return Node.Mapping([]) }
        guard let mapping = node.mapping else {
            throw Failure(.configuration, "\(file)\(place(of: node)): `\(name)` must be a block of `key: value` lines")
        }
        return mapping
    }

    /// Call when all sections have been read: whatever no section asked for is refused, with the nearest known key.
    package func refuseUnknownKeys() throws(Failure) {
        let blocks = Set(sections.map(\.name)).subtracting([""])
        let top = sections.first { $0.name.isEmpty }?.known ?? []
        let everyKey = sections.flatMap { section in section.known.map { section.path(of: $0) } }
        for (key, node) in root {
            let name = try text(of: key)
            if !blocks.contains(name) && !top.contains(name) {
                throw unknown(name, at: key, candidates: blocks.union(top).union(everyKey))
            }
            guard blocks.contains(name), let mapping = node.mapping else { continue }
            let known = Set(sections.filter { $0.name == name }.flatMap(\.known))
            for (key, _) in mapping {
                let inner = try text(of: key)
                guard !known.contains(inner) else { continue }
                let candidates = known.map { "\(name).\($0)" }
                throw unknown("\(name).\(inner)", at: key, candidates: Set(candidates).union(everyKey))
            }
        }
    }

    private func text(of key: Node) throws(Failure) -> String {
        guard let text = key.scalar?.string else {
            throw Failure(.configuration, "\(file)\(place(of: key)): a key must be a single word")
        }
        return text
    }

    private func unknown(_ path: String, at node: Node, candidates: Set<String>) -> Failure {
        // A known name in the wrong block is nearer than any misspelling.
        let last = path.split(separator: ".").last
        let misplaced = candidates.sorted().first { $0.split(separator: ".").last == last }
        let near = misplaced ?? ForeignKeys.key(for: path) ?? nearestName(to: path, among: candidates)
        return Failure(
            .configuration, "\(file)\(place(of: node)): unknown key `\(path)`",
            advice: near.map { "did you mean `\($0)`?" } ?? "docs/configuration.md lists every key")
    }

    /// Every key that was asked for, with its value, as YAML in the order of reading.
    package var resolved: String {
        blocks.map { block in
            let indent = block.name.isEmpty ? "" : "  "
            let lines = block.values.map { "\(indent)\($0.key): \($0.value)\n" }
            return (block.name.isEmpty ? "" : "\(block.name):\n") + lines.joined()
        }.joined()
    }

    /// `section.key` and value of every key that was asked for, in the order of reading.
    package var resolvedValues: [(key: String, value: String)] {
        blocks.flatMap { block in
            block.values.map { (block.name.isEmpty ? $0.key : "\(block.name).\($0.key)", $0.value) }
        }
    }

    /// `section.key` of every key that was asked for.
    package var knownKeys: [String] { resolvedValues.map(\.key) }

    /// What was asked for, block by block in the order of reading; what was read twice stands once.
    private var blocks: [(name: String, values: [(key: String, value: String)])] {
        var blocks: [(name: String, values: [(key: String, value: String)])] = []
        for section in sections where !section.values.isEmpty {
            let block = blocks.firstIndex { $0.name == section.name } ?? blocks.count
            if block == blocks.count { blocks.append((section.name, [])) }
            for value in section.values where !blocks[block].values.contains(where: { $0.key == value.key }) {
                blocks[block].values.append(value)
            }
        }
        return blocks
    }
}

extension Node {
    /// The same value as if it stood in no file.
    fileprivate var withoutMarks: Node {
        switch self {
        case .scalar(let scalar): .scalar(Scalar(scalar.string, scalar.tag, scalar.style))
        case .sequence(let sequence): .sequence(Sequence(sequence.map(\.withoutMarks), sequence.tag, sequence.style))
        case .mapping(let mapping):
            .mapping(Mapping(mapping.map { ($0.key.withoutMarks, $0.value.withoutMarks) }, mapping.tag, mapping.style))
        case .alias: self
        }
    }
}

/// `:line` of a node, for messages; empty for values from the command line.
func place(of node: Node) -> String {
    guard let mark = node.mark, mark.line > 0 else { return "" }
    return ":\(mark.line)"
}
