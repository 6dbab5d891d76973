package import Diagnostics
import Yams

extension ConfigurationSection {
    /// A block whose keys are those of another configuration, each with one value or a list of values; empty if `key` is absent.
    /// - Returns: keys in their order, and values as `KEY=VALUE` on the command line has them
    package func settings(_ key: String) throws(Failure) -> [(key: String, values: [String])] {
        let block: Node.Mapping = try read(key, Node.Mapping([]), "a block of keys and values") { $0.mapping }
        return try settings(block, of: key) { node in node.sequence.map { Array($0) } ?? [node] }
    }

    /// A list of such blocks, whose keys have one value each.
    package func settingsList(_ key: String) throws(Failure) -> [[(key: String, value: String)]] {
        var list: [[(key: String, value: String)]] = []
        for node in try nodes(key) {
            guard let mapping = node.mapping else {
                throw failure(
                    key, "must be a list of blocks of keys and values", advice: "for example `- {model.layers: 2}`")
            }
            list.append(try settings(mapping, of: key) { [$0] }.map { ($0.key, $0.values[0]) })
        }
        record(key, asWritten: "[\(list.count) blocks]")
        return list
    }

    private func settings(
        _ block: Node.Mapping, of key: String, _ values: (Node) -> [Node]
    ) throws(Failure) -> [(key: String, values: [String])] {
        var settings: [(key: String, values: [String])] = []
        for (name, node) in block {
            guard let name = name.scalar?.string else { throw failure(key, "has a key that is no word") }
            let all = values(node)
            guard !all.isEmpty else { throw failure(key, "has no value for \(name)") }
            settings.append((name, all.map(\.flow)))
        }
        record(key, asWritten: "{" + settings.map { "\($0.key): \($0.values)" }.joined(separator: ", ") + "}")
        return settings
    }
}

extension Node {
    /// The node on one line.
    fileprivate var flow: String {
        switch self {
        case .scalar(let scalar): scalar.style == .plain ? scalar.string : doubleQuoted(scalar.string)
        case .sequence(let sequence): "[" + sequence.map(\.flow).joined(separator: ", ") + "]"
        case .mapping(let mapping):
            "{" + mapping.map { "\($0.key.flow): \($0.value.flow)" }.joined(separator: ", ") + "}"
        case .alias: ""
        }
    }
}
