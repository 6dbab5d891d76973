import Foundation

/// What the system lets this process have; nil: unlimited or not told.
package struct SystemLimits: Codable, Sendable, Equatable {
    package var openFiles: Int?
    /// Bytes.
    package var lockedMemory: Int?
    package var coreFile: Int?
    /// Bytes that one process may map in all, and of its own.
    package var addressSpace: Int?
    package var data: Int?
    /// `always`, `madvise` or `never`; nil where the system has no such choice.
    package var hugePages: String?

    package init(
        openFiles: Int?, lockedMemory: Int?, coreFile: Int?, hugePages: String?, addressSpace: Int? = nil,
        data: Int? = nil
    ) {
        self.openFiles = openFiles
        self.lockedMemory = lockedMemory
        self.coreFile = coreFile
        self.hugePages = hugePages
        self.addressSpace = addressSpace
        self.data = data
    }

    package static var ofThisProcess: SystemLimits {
        let (files, memory, core) = (RLIMIT_NOFILE.rawValue, __RLIMIT_MEMLOCK.rawValue, RLIMIT_CORE.rawValue)
        let (space, data) = (RLIMIT_AS.rawValue, RLIMIT_DATA.rawValue)
        let setting = try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8)
        return SystemLimits(
            openFiles: limit(files), lockedMemory: limit(memory), coreFile: limit(core),
            hugePages: setting.flatMap(chosen), addressSpace: limit(space), data: limit(data))
    }

    /// `madvise` of `always [madvise] never`.
    package static func chosen(_ setting: String) -> String? {
        guard let start = setting.firstIndex(of: "["), let end = setting.firstIndex(of: "]"), start < end else {
            return nil
        }
        return String(setting[setting.index(after: start)..<end])
    }

    private static func limit(_ resource: UInt32) -> Int? {
        var found = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(resource), &found) == 0 else { return nil }
        return Int(exactly: found.rlim_cur)
    }
}

/// Processes that have wanted a processor, on average over the last minute; nil where the system does not tell.
package func systemLoad() -> Double? {
    var averages = [0.0]
    return unsafe getloadavg(&averages, 1) == 1 ? averages[0] : nil
}

/// Room in a file system, bytes.
package struct FileSystemSpace: Codable, Sendable, Equatable {
    package var size: Int
    package var free: Int

    package init(size: Int, free: Int) {
        self.size = size
        self.free = free
    }

    /// Nil if there is no such place.
    package init?(at path: String) {
        var found = statvfs()
        guard unsafe statvfs(path, &found) == 0 else { return nil }
        size = Int(found.f_blocks) * Int(found.f_frsize)
        free = Int(found.f_bavail) * Int(found.f_frsize)
    }
}
