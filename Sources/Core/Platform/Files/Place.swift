/// What a path leads to, whatever its spelling: a file or directory by device and inode, or, where nothing is yet, a name
/// in a directory.
struct Place: Hashable {
    private let device: dev_t
    private let inode: ino_t
    /// Of what does not exist yet.
    private let name: String?

    /// Follows symbolic links. Nil if even the directory does not exist: such a path leads to nothing that could be lost.
    init?(_ path: String) {
        let (parent, last) = splitPath(path)
        if let found = Self.status(path) {
            (device, inode, name) = (found.st_dev, found.st_ino, nil)
        } else if let folder = Self.status(parent) {
            (device, inode, name) = (folder.st_dev, folder.st_ino, last)
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
        var folder = splitPath(path).parent
        if let real = realPath(path) {
            folder = splitPath(real).parent
        } else {
            while status(folder) == nil, folder != splitPath(folder).parent { folder = splitPath(folder).parent }
            folder = realPath(folder) ?? folder
        }
        var places: [Place] = []
        while let place = Place(folder) {
            places.append(place)
            let parent = splitPath(folder).parent
            guard folder != parent, folder != "." else { break }
            folder = parent
        }
        return places
    }

    private static func status(_ path: String) -> stat? {
        var found = stat()
        return unsafe stat(path, &found) == 0 ? found : nil
    }
}
