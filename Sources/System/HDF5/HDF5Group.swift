import CHDF5
import Platform

/// An open group: a folder of groups and datasets inside a file.
package final class HDF5Group: HDF5Object {
    let raw: hid_t
    package let path: String
    private var isOpen = true

    private init(_ raw: hid_t, path: String) {
        self.raw = raw
        self.path = path
    }

    static func open(_ name: String, in parent: hid_t, path: String) throws(HDF5Error) -> HDF5Group {
        if name != "/" { try requireInside(name, of: parent, "\(path): \(name)") }
        let raw = try Library.call("H5Gopen", "\(path): \(name)") { unsafe H5Gopen2(parent, name, shim_default()) }
        return HDF5Group(raw, path: path.hasSuffix("/") || name == "/" ? path + name : path + "/" + name)
    }

    package func group(_ name: String) throws(HDF5Error) -> HDF5Group {
        try HDF5Group.open(name, in: raw, path: path)
    }

    package func dataset(_ name: String) throws(HDF5Error) -> HDF5Dataset {
        try HDF5Dataset.open(name, in: raw, path: path)
    }

    /// A new dataset of fixed shape, one to four extents. `name` may be a path: missing groups are made.
    ///
    /// Space is reserved but not filled; whoever creates it writes all of it.
    package func createDataset(
        _ name: String, of storage: HDF5Storage, shape: [Int]
    ) throws(HDF5Error) -> HDF5Dataset {
        let creation = try HDF5Dataset.creation()
        return try HDF5Dataset.create(name, in: raw, path: path, { storage.stored }, shape: shape, creation)
    }

    /// A new dataset whose elements live in other files.
    package func createVirtualDataset(
        _ name: String, of storage: HDF5Storage, shape: [Int], from pieces: [VirtualPiece]
    ) throws(HDF5Error) -> HDF5Dataset {
        let creation = try VirtualPiece.creation(of: storage, shape: shape, from: pieces)
        return try HDF5Dataset.create(name, in: raw, path: path, { storage.stored }, shape: shape, creation)
    }

    /// A text as a dataset of its own; texts of any length, attributes are limited to 64 kB.
    package func writeText(_ text: String, to name: String) throws(HDF5Error) {
        try refuseZeroBytes(text, name)
        let bytes = Array(text.utf8) + [0]
        let type = try Identifier.text(bytes: bytes.count - 1), stored = type.raw
        let dataset = try HDF5Dataset.create(
            name, in: raw, path: path, { stored }, shape: [], try HDF5Dataset.creation())
        try Library.call("H5Dwrite", "\(path): \(name)") {
            unsafe H5Dwrite(dataset.raw, stored, shim_all(), shim_all(), shim_default(), bytes)
        }
        try dataset.close()
    }

    /// What `writeText` wrote. Its bytes lie in the file itself, so the text is no longer than the file.
    package func readText(_ name: String) throws(HDF5Error) -> String {
        let dataset = try dataset(name)
        let isInside = try Library.call("H5Dget_create_plist", dataset.path) { shim_data_lie_inside(dataset.raw) }
        guard dataset.shape.allSatisfy({ $0 == 1 }), isInside > 0 else {
            throw HDF5Error.contents("\(dataset.path) is not one text that lies in the file itself")
        }
        let type = try Identifier("H5Dget_type", dataset.path, release: H5Tclose) { H5Dget_type(dataset.raw) }
        let stored = type.raw
        let size = try textSize(of: stored, dataset.path)
        guard size <= Self.longestText else {
            throw HDF5Error.contents("\(dataset.path) has \(size) bytes; a text has at most \(Self.longestText)")
        }
        var bytes = [UInt8](repeating: 0, count: size)
        try Library.call("H5Dread", dataset.path) {
            unsafe H5Dread(dataset.raw, stored, shim_all(), shim_all(), shim_default(), &bytes)
        }
        try dataset.close()
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// In bytes: no configuration or tokenizer is longer.
    private static let longestText = 1 << 28

    package func contains(_ name: String) throws(HDF5Error) -> Bool {
        try Library.call("H5Lexists", "\(path): \(name)") { unsafe H5Lexists(raw, name, shim_default()) } > 0
    }

    /// Names of the members, sorted.
    package func names() throws(HDF5Error) -> [String] {
        let texts = Texts()
        let visit: shim_link_visitor = { _, name, _, texts in
            guard let name = unsafe name else { return -1 }
            unsafe Texts.at(texts)?.all.append(String(cString: name))
            return 0
        }
        try Library.call("H5Literate", path) {
            unsafe shim_visit_links(raw, visit, texts.address)
        }
        return texts.all.sorted()
    }

    /// Whether the member `name` is a group, and not a dataset.
    package func isGroup(_ name: String) throws(HDF5Error) -> Bool {
        try Library.call("H5Oget_info_by_name", "\(path): \(name)") { unsafe shim_is_group(raw, name) } > 0
    }

    /// Whether the member `name` is in the file itself, and not a link to elsewhere.
    package func isInside(_ name: String) throws(HDF5Error) -> Bool {
        try Library.call("H5Lget_info", "\(path): \(name)") { unsafe shim_links_are_hard(raw, name) } > 0
    }

    package func close() throws(HDF5Error) {
        guard isOpen else { return }
        isOpen = false
        try Library.call("H5Gclose", path) { H5Gclose(raw) }
    }

    deinit {
        guard isOpen else { return }
        do {
            try close()
        } catch {
            // Closing a group is local and writes nothing.
        }
    }
}

/// Refuses soft and external links anywhere on the way: what is read lies in the file that was opened.
func requireInside(_ name: String, of parent: hid_t, _ subject: String) throws(HDF5Error) {
    let answer = try Library.call("H5Lget_info", subject) { unsafe shim_links_are_hard(parent, name) }
    guard answer > 0 else {
        throw HDF5Error.contents("\(subject) is a link to elsewhere, which is not followed")
    }
}
