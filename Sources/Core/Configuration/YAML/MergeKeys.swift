import Diagnostics
import Yams

extension Node.Mapping {
    /// The mapping with the keys that `<<` takes over from others, in this mapping and in all inside it. A key of the mapping itself
    /// counts before one that is taken over, and of several mappings in a list the first (https://yaml.org/type/merge.html).
    /// - Throws: `configuration` naming the line of a `<<` that stands before something else
    func merged(file: String) throws(Failure) -> Node.Mapping {
        var result = Node.Mapping([], tag, style, mark), inherited: [Node.Mapping] = []
        for (key, value) in self {
            if key.scalar?.string == "<<", key.scalar?.style == .plain {
                inherited += try value.mappings(at: key, file: file)
            } else {
                result[key] = try value.merged(file: file)
            }
        }
        for mapping in inherited {
            for (key, value) in mapping where result[key] == nil { result[key] = value }
        }
        return result
    }
}

extension Node {
    fileprivate func merged(file: String) throws(Failure) -> Node {
        guard case .mapping(let mapping) = self else { return self }
        return .mapping(try mapping.merged(file: file))
    }

    /// What stands behind `<<`: a mapping, or a list of mappings.
    fileprivate func mappings(at key: Node, file: String) throws(Failure) -> [Node.Mapping] {
        var found: [Node.Mapping] = []
        let all = sequence.map(Array.init) ?? [self]
        for node in all {
            guard let mapping = node.mapping else {
                throw Failure(
                    .configuration,
                    "\(file)\(place(of: key)): `<<` must be followed by a block of keys, or a list of such",
                    advice: "for example `<<: *name`, where a block is called `&name`")
            }
            found.append(try mapping.merged(file: file))
        }
        return found
    }
}
