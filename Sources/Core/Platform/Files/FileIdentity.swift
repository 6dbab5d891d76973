/// Which file or directory something is, whatever its name: device and inode.
package struct FileIdentity: Sendable, Hashable {
    private let device: UInt64
    private let inode: UInt64

    init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
    }

    /// What is open as `descriptor`; nil if nothing is.
    package init?(descriptor: Int32) {
        var found = stat()
        guard unsafe fstat(descriptor, &found) == 0 else { return nil }
        self.init(found)
    }

    /// Where a path leads that once led here.
    package enum Place: Sendable, Equatable {
        case here
        /// To something else, or nowhere.
        case elsewhere
        /// The system cannot tell just now.
        case unknown
    }

    package func place(of path: String, followingLink: Bool = true) -> Place {
        if let found = FileIdentity(path, followingLink: followingLink) { return found == self ? .here : .elsewhere }
        return errno == ENOENT || errno == ENOTDIR ? .elsewhere : .unknown
    }

    /// Whether there is something at `path` that is neither a file nor a directory.
    static func isSpecial(_ path: String) -> Bool {
        var found = stat()
        return unsafe stat(path, &found) == 0 && !found.isRegularFile && !found.isDirectory
    }

    /// What `path` leads to now; nil if there is nothing.
    /// - Parameters:
    ///   - path: of a file of any kind
    ///   - followingLink: whether a symbolic link stands for what it leads to
    package init?(_ path: String, followingLink: Bool = true) {
        var found = stat()
        guard unsafe (followingLink ? stat(path, &found) : lstat(path, &found)) == 0 else { return nil }
        self.init(found)
    }
}

extension stat {
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
    var entry: OpenDirectory.Entry { isRegularFile ? .file : isDirectory ? .directory : .other }
    var isMine: Bool { st_uid == geteuid() }
}
