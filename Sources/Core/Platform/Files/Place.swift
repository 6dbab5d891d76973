/// What a path leads to, whatever its spelling: a file or directory by device and inode, or, where nothing is yet, a name
/// in a directory.
struct Place: Hashable {
    private let device: dev_t
    private let inode: ino_t
    /// Of what does not exist yet.
    private let name: String?

    /// Follows symbolic links. Nil if even the directory does not exist: such a path leads to nothing that could be lost.
    init?(_ path: String) {
        let path = withoutSlashes(path)
        if let found = Self.status(path) {
            (device, inode, name) = (found.st_dev, found.st_ino, nil)
        } else if let folder = Self.status(parent(of: path)) {
            (device, inode, name) = (folder.st_dev, folder.st_ino, lastName(of: path))
        } else {
            return nil
        }
    }

    /// Nil if nothing is at `path`.
    init?(existing path: String) {
        self.init(path)
        if name != nil { return nil }
    }

    /// The directories that hold what is at `path`, innermost first, through links to where it really lies.
    static func ancestors(of path: String) -> [Place] {
        var folder = parent(of: withoutSlashes(path))
        if let real = realPath(path) {
            folder = parent(of: real)
        } else {
            while status(folder) == nil, folder != parent(of: folder) { folder = parent(of: folder) }
            folder = realPath(folder) ?? folder
        }
        var places: [Place] = []
        while let place = Place(folder) {
            places.append(place)
            guard folder != parent(of: folder), folder != "." else { break }
            folder = parent(of: folder)
        }
        return places
    }

    private static func status(_ path: String) -> stat? {
        var found = stat()
        return unsafe stat(path, &found) == 0 ? found : nil
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(validatingCString: real)
    }
}

private func withoutSlashes(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
}

private func lastName(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

private func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : withoutSlashes(String(path[..<slash]))
}
