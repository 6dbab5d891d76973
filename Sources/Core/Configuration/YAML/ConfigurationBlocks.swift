package import Diagnostics
import Yams

extension ConfigurationSection {
    /// A list of blocks, each a section of its own; empty if `key` is absent. What `read` does not ask for is refused.
    package func blocks<Block>(
        _ key: String, _ read: (ConfigurationSection) throws(Failure) -> Block
    ) throws(Failure) -> [Block] {
        let nodes = try nodes(key)
        var blocks: [Block] = [], written: [String] = []
        for (index, node) in nodes.enumerated() {
            guard let mapping = node.mapping else {
                throw failure(
                    key, "must be a list of blocks, but its entry \(index + 1) is none",
                    advice: "for example `\(key): [{…: …, …: …}]`; docs/configuration.md lists what a block holds")
            }
            let block = block("\(path(of: key))[\(index)]", mapping)
            blocks.append(try read(block))
            try block.refuseUnknownKeys()
            written.append("{" + block.values.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}")
        }
        record(key, asWritten: "[\(written.joined(separator: ", "))]")
        return blocks
    }

    /// Whether `key` is a list with a block in it.
    func holdsBlocks(_ key: String) -> Bool { mapping[Node(key)]?.sequence?.contains { $0.mapping != nil } ?? false }

    /// A list of whole numbers, each larger than the one before; empty if `key` is absent.
    package func ascendingIntegers(_ key: String, in range: ClosedRange<Int>) throws(Failure) -> [Int] {
        var numbers: [Int] = []
        for node in try nodes(key) {
            guard let number = node.scalar.flatMap({ Self.wholeNumber($0.string) }), range.contains(number) else {
                throw failure(key, "has `\(node.scalar?.string ?? "a block")`; allowed are \(Self.describe(range))")
            }
            if let last = numbers.last, number <= last {
                throw failure(key, "has \(number) after \(last)", advice: "order the numbers, each of them once")
            }
            numbers.append(number)
        }
        record(key, asWritten: "\(numbers)")
        return numbers
    }

    private func refuseUnknownKeys() throws(Failure) {
        for key in givenKeys where !known.contains(key) {
            let near = nearestName(to: key, among: known).map { "did you mean `\($0)`?" }
            throw failure(key, "is unknown; known are \(known.sorted().joined(separator: ", "))", advice: near)
        }
    }
}
