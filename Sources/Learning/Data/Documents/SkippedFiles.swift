/// What of a directory is not read: how many files of each kind, and how many bytes.
package struct SkippedFiles: Sendable, Equatable {
    private struct Tally: Equatable {
        var count = 0
        var bytes = 0
    }

    private var kinds: [String: Tally] = [:]

    package init() {}

    package var isEmpty: Bool { kinds.isEmpty }
    package var count: Int { kinds.values.reduce(0) { $0 + $1.count } }
    package var bytes: Int { kinds.values.reduce(0) { $0 + $1.bytes } }

    mutating func add(_ kind: String, bytes: Int) {
        kinds[kind, default: Tally()].count += 1
        kinds[kind, default: Tally()].bytes += bytes
    }

    mutating func add(_ others: SkippedFiles) {
        kinds.merge(others.kinds) { Tally(count: $0.count + $1.count, bytes: $0.bytes + $1.bytes) }
    }

    /// The kind of a file by its name: its last suffix.
    static func kind(of name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex, name.index(after: dot) != name.endIndex else {
            return "without a suffix"
        }
        let suffix = name[dot...].unicodeScalars.prefix(20).filter { $0.properties.generalCategory != .control }
        return String(String.UnicodeScalarView(suffix)).lowercased()
    }
}

extension SkippedFiles: CustomStringConvertible {
    /// `5 files, 12100 bytes: 4 .gz (12060 bytes), 1 .png (40 bytes)`
    package var description: String {
        let parts = kinds.sorted { ($1.value.bytes, $0.key) < ($0.value.bytes, $1.key) }
            .map { "\($0.value.count) \($0.key) (\(Self.amount($0.value.bytes, "byte")))" }
        return "\(Self.amount(count, "file")), \(Self.amount(bytes, "byte")): \(parts.joined(separator: ", "))"
    }

    private static func amount(_ count: Int, _ unit: String) -> String { "\(count) \(unit)\(count == 1 ? "" : "s")" }
}
