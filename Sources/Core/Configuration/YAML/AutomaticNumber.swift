import Diagnostics
import Yams

extension ConfigurationSection {
    /// A whole number; `auto`, the default, stands for `automatic` and is what is recorded for it.
    /// - Returns: nil where `auto` stands for nothing
    func integer(_ key: String, automatic: Int?, in range: ClosedRange<Int>) throws(Failure) -> Int? {
        guard contains(key), !isWord(key, "auto") else {
            record(key, asWritten: doubleQuoted("auto"))
            return automatic
        }
        let value: Int = try read(key, nil, "a whole number or `auto`") { node in
            node.scalar.flatMap { Self.wholeNumber($0.string) }
        }
        guard range.contains(value) else {
            throw failure(key, "is \(value); allowed are \(Self.describe(range)), or `auto`")
        }
        record(key, asWritten: value == automatic ? doubleQuoted("auto") : "\(value)")
        return value
    }
}
