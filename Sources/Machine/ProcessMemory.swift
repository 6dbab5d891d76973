import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the operating system says about memory.
package enum ProcessMemory {
    /// The most physical memory this process has used, in bytes.
    package static var peak: Int {
        var usage = rusage()
        #if canImport(Glibc)
            guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
            return usage.ru_maxrss * 1024
        #else
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
            return usage.ru_maxrss
        #endif
    }

    /// Bytes that new processes on this machine can use, also under a limit of a control group; nil where unknown.
    package static var available: Int? {
        [systemAvailable, controlGroupAvailable].compactMap { $0 }.min()
    }

    /// Bytes of physical memory that this machine has.
    package static var installed: Int { Int(ProcessInfo.processInfo.physicalMemory) }

    /// The tightest limit of a control group around this process, bytes; nil if there is none.
    package static var controlGroupLimit: Int? { tightest { limit, _ in limit } }

    private static var systemAvailable: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }

    private static var controlGroupAvailable: Int? { tightest { limit, used in max(0, limit - used) } }

    /// The smallest of what `measure` makes of limit and use, from this process's control group up to the root.
    private static func tightest(_ measure: (_ limit: Int, _ used: Int) -> Int) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var path = String(line.dropFirst(3)), found: Int?
        while true {
            let folder = "/sys/fs/cgroup" + (path == "/" ? "" : path)
            if let limit = number(folder + "/memory.max"), let used = number(folder + "/memory.current") {
                found = min(found ?? Int.max, measure(limit, used))
            }
            guard path.count > 1, let slash = path.lastIndex(of: "/") else { return found }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    private static func number(_ path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}
