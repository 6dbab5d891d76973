import Foundation

/// What the operating system says about memory.
package enum ProcessMemory {
    /// The most physical memory this process has used, in bytes.
    package static var peak: Int {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return usage.ru_maxrss * 1024
    }

    /// Bytes that new processes on this machine can use, also under a limit of a control group; nil where unknown.
    package static var available: Int? {
        [systemAvailable, ControlGroup.ofThisProcess?.available].compactMap { $0 }.min()
    }

    /// Bytes of physical memory that this machine has.
    package static var installed: Int { Int(ProcessInfo.processInfo.physicalMemory) }

    /// The tightest limit of a control group around this process, bytes; nil if there is none.
    package static var controlGroupLimit: Int? { ControlGroup.ofThisProcess?.limit }

    private static var systemAvailable: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// What this process may still map under the limits that it has for itself, and the tightest of these; nil without one.
    package static var ownLimit: OwnLimit? {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        func used(_ field: String) -> Int? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        let limits = SystemLimits.ofThisProcess
        let found = [
            ("address space (ulimit -v)", limits.addressSpace, used("VmSize")),
            ("data (ulimit -d)", limits.data, used("VmData")),
        ]
        return found.compactMap { name, limit, used in
            limit.map { OwnLimit(name: name, limit: $0, available: max(0, $0 - (used ?? 0))) }
        }.min { $0.available < $1.available }
    }

    /// A limit on the memory of one process.
    package struct OwnLimit: Sendable, Equatable {
        package var name: String
        /// Bytes in all, and what is left of them.
        package var limit: Int
        package var available: Int
    }
}
