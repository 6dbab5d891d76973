import CHDF5
import Platform
package import Tensors

/// An open dataset: a rectangle of numbers of one to four extents.
///
/// Closed silently when dropped: unlike a file's, its closing writes nothing that `HDF5File.flush` would not report.
package final class HDF5Dataset: HDF5Object {
    let raw: hid_t
    package let path: String
    package let shape: [Int]
    private var isOpen = true

    private init(_ raw: hid_t, path: String, shape: [Int]) {
        self.raw = raw
        self.path = path
        self.shape = shape
    }

    /// Creation properties: no times in the file, no filling of what will be written anyway.
    static func creation() throws(HDF5Error) -> Identifier {
        let creation = try Identifier.properties(shim_dataset_create)
        let raw = creation.raw
        try Library.call("H5Pset_obj_track_times", "dataset creation") { H5Pset_obj_track_times(raw, false) }
        try Library.call("H5Pset_fill_time", "dataset creation") { H5Pset_fill_time(raw, H5D_FILL_TIME_NEVER) }
        return creation
    }

    static func create(
        _ name: String, in parent: hid_t, path: String, _ stored: () -> hid_t, shape: [Int],
        _ creation: consuming Identifier
    ) throws(HDF5Error) -> HDF5Dataset {
        let links = try Identifier.properties(shim_link_create), space = try Identifier.space(shape)
        let options = (links: links.raw, space: space.raw, creation: creation.raw)
        try Library.call("H5Pset_create_intermediate_group", name) {
            H5Pset_create_intermediate_group(options.links, 1)
        }
        let raw = try Library.call("H5Dcreate", "\(path): \(name)") {
            unsafe H5Dcreate2(parent, name, stored(), options.space, options.links, options.creation, shim_default())
        }
        return HDF5Dataset(raw, path: "\(path)/\(name)", shape: shape)
    }

    static func open(_ name: String, in parent: hid_t, path: String) throws(HDF5Error) -> HDF5Dataset {
        let subject = "\(path)/\(name)"
        try requireInside(name, of: parent, subject)
        let raw = try Library.call("H5Dopen", subject) { unsafe H5Dopen2(parent, name, shim_default()) }
        var extents = [hsize_t](repeating: 0, count: Int(H5S_MAX_RANK))
        let space = try Identifier("H5Dget_space", subject, release: H5Sclose) { H5Dget_space(raw) }
        let spaceID = space.raw
        let rank = try Library.call("H5Sget_simple_extent_dims", subject) {
            unsafe H5Sget_simple_extent_dims(spaceID, &extents, nil)
        }
        return HDF5Dataset(raw, path: subject, shape: extents.prefix(Int(rank)).map { Int($0) })
    }

    /// The kind of its numbers; nil for kinds this module does not store.
    package func storage() throws(HDF5Error) -> HDF5Storage? {
        let type = try Identifier("H5Dget_type", path, release: H5Tclose) { H5Dget_type(raw) }
        let found = type.raw
        for storage in HDF5Storage.allCases
        where try Library.call("H5Tequal", path, { H5Tequal(found, storage.stored) }) > 0 {
            return storage
        }
        return nil
    }

    /// Writes the rectangle of `shape` at `offset`.
    /// - Parameters:
    ///   - values: row-major, contiguous; may be empty, and then nothing is selected
    ///   - collectively: all ranks that share the file call together; otherwise each for itself
    package func write<Element: HDF5Element>(
        _ values: Vector<Element>, offset: [Int], shape: [Int], collectively: Bool = false
    ) throws(HDF5Error) {
        try transfer("H5Dwrite", values.count, offset: offset, shape: shape, collectively: collectively) {
            unsafe H5Dwrite(raw, Element.storage.native, $0, $1, $2, values.pointer)
        }
    }

    /// Reads the rectangle of `shape` at `offset` into `values`, row-major.
    package func read<Element: HDF5Element>(
        into values: Vector<Element>, offset: [Int], shape: [Int], collectively: Bool = false
    ) throws(HDF5Error) {
        try transfer("H5Dread", values.count, offset: offset, shape: shape, collectively: collectively) {
            unsafe H5Dread(raw, Element.storage.native, $0, $1, $2, values.pointer)
        }
    }

    /// - Parameters:
    ///   - count: elements in memory
    ///   - body: makes the call, of the elements selected in memory and in the file, with the properties of the transfer
    private func transfer(
        _ call: String, _ count: Int, offset: [Int], shape: [Int], collectively: Bool,
        _ body: (_ memory: hid_t, _ file: hid_t, _ properties: hid_t) -> herr_t
    ) throws(HDF5Error) {
        let selection = try Selection(offset: offset, shape: shape, of: self, count: count)
        let properties = try transferProperties(collectively: collectively)
        let ids = (memory: selection.memory.raw, file: selection.file.raw, properties: properties.raw)
        try Library.call(call, path) { body(ids.memory, ids.file, ids.properties) }
    }

    /// Where the numbers of a contiguous dataset begin in its file, in bytes.
    package func byteOffset() throws(HDF5Error) -> Int {
        var offset = 0
        try Library.call("H5Dget_offset", path) {
            offset = Int(truncatingIfNeeded: H5Dget_offset(raw))
            // All bits set: nothing has been written yet.
            return offset == -1 ? -1 : 0
        }
        return offset
    }

    private func transferProperties(collectively: Bool) throws(HDF5Error) -> Identifier {
        let transfer = try Identifier.properties(shim_dataset_transfer)
        guard collectively else { return transfer }
        let raw = transfer.raw
        try Library.call("H5Pset_dxpl_mpio", path) { H5Pset_dxpl_mpio(raw, H5FD_MPIO_COLLECTIVE) }
        return transfer
    }

    package func close() throws(HDF5Error) {
        guard isOpen else { return }
        isOpen = false
        try Library.call("H5Dclose", path) { H5Dclose(raw) }
    }

    deinit {
        guard isOpen else { return }
        do {
            try close()
        } catch {
            // The dataset's writer is failing already and says why.
        }
    }
}
