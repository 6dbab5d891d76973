import Foundation

/// The control groups around a process, with their limits on memory (Linux, versions 1 and 2, also both at once).
package struct ControlGroup: Sendable {
    /// The files of one version: where its hierarchy is mounted, and what limit, use and statistics are called there.
    fileprivate struct Version {
        var root: String
        var limit: String
        var used: String
        /// Of the fields of `memory.stat`, those that count pages of files, which the kernel drops when memory is short.
        var reclaimable: Set<Substring>
    }

    /// The process's group in a hierarchy, from the mount on: `/user.slice/job.scope`.
    private let places: [(version: Version, path: String)]

    /// - Parameters:
    ///   - membership: the text of `/proc/self/cgroup`
    ///   - root: where the hierarchies are mounted
    package init(membership: String, root: String = "/sys/fs/cgroup") {
        places = membership.split(separator: "\n").flatMap { line -> [(Version, String)] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            if fields[0] == "0", fields[1].isEmpty {
                return [root, root + "/unified"].map { (.second(root: $0), String(fields[2])) }
            }
            guard fields[1].split(separator: ",").contains("memory") else { return [] }
            return [(.first(root: root + "/memory"), String(fields[2]))]
        }
    }

    package static var ofThisProcess: ControlGroup? {
        (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)).map { ControlGroup(membership: $0) }
    }

    /// The tightest limit of a group around this process, bytes; nil if there is none.
    package var limit: Int? { levels.map(\.limit).min() }

    /// What this process and the others of its groups may still use, bytes; nil without a limit.
    package var available: Int? { levels.map { max(0, $0.limit - $0.used) }.min() }

    /// Limit and use of every group that has a limit, from the process's own up to the root. Inside a container the path is
    /// often that of the host, and only the root of the mount is there: it is the container's group then.
    private var levels: [(limit: Int, used: Int)] {
        places.flatMap { version, path in
            Self.ancestors(of: path).compactMap { group -> (limit: Int, used: Int)? in
                let folder = version.root + group
                guard let limit = Self.number("\(folder)/\(version.limit)"), limit < Self.unlimited,
                    let used = Self.number("\(folder)/\(version.used)")
                else { return nil }
                return (limit, used - version.reclaimed(of: used, in: folder))
            }
        }
    }

    /// Version 1 writes the largest multiple of a page for no limit; version 2 writes `max`, which is no number.
    private static let unlimited = 1 << 60

    /// `/a/b`, `/a`, and the empty path of the root.
    private static func ancestors(of path: String) -> [String] {
        let parts = path.split(separator: "/")
        return (0...parts.count).reversed().map { count in parts.prefix(count).map { "/\($0)" }.joined() }
    }

    private static func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}

extension ControlGroup.Version {
    fileprivate static func first(root: String) -> Self {
        Self(
            root: root, limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
            reclaimable: ["total_inactive_file", "total_active_file"])
    }

    fileprivate static func second(root: String) -> Self {
        Self(root: root, limit: "memory.max", used: "memory.current", reclaimable: ["inactive_file", "active_file"])
    }

    /// Bytes of file pages among the bytes in use.
    fileprivate func reclaimed(of used: Int, in folder: String) -> Int {
        guard let text = try? String(contentsOfFile: "\(folder)/memory.stat", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: "\n").reduce(0) { sum, line in
            let fields = line.split(separator: " ")
            guard fields.count == 2, reclaimable.contains(fields[0]), let bytes = Int(fields[1]), bytes >= 0 else {
                return sum
            }
            return min(used, sum + min(bytes, used))
        }
        return min(pages, used)
    }
}
