import CHDF5

/// A local identifier (dataspace, datatype, property list) that is given back when it goes out of scope. Files,
/// groups and datasets are not among them: closing those can fail in ways that matter and can be collective.
struct Identifier: ~Copyable {
    let raw: hid_t
    private let release: @convention(c) (hid_t) -> herr_t

    init(
        _ name: String, _ subject: @autoclosure () -> String, release: @escaping @convention(c) (hid_t) -> herr_t,
        _ make: () -> hid_t
    ) throws(HDF5Error) {
        raw = try Library.call(name, subject(), make)
        self.release = release
    }

    deinit {
        let raw = raw, release = release
        do {
            try Library.call("H5Idec_ref", "") { release(raw) }
        } catch {
            // Nothing outside depends on a local identifier; HDF5 reclaims it at exit.
        }
    }

    static func properties(_ kind: @escaping () -> hid_t) throws(HDF5Error) -> Identifier {
        try Identifier("H5Pcreate", "property list", release: H5Pclose) { H5Pcreate(kind()) }
    }

    /// A rectangular dataspace; of one element without extents if `shape` is empty.
    static func space(_ shape: [Int]) throws(HDF5Error) -> Identifier {
        let extents = shape.map { hsize_t($0) }
        return try Identifier("H5Screate_simple", "dataspace \(shape)", release: H5Sclose) {
            extents.isEmpty ? H5Screate(H5S_SCALAR) : unsafe H5Screate_simple(Int32(extents.count), extents, nil)
        }
    }

    /// Text of at most `bytes` bytes of UTF-8, padded with zeros.
    static func text(bytes: Int) throws(HDF5Error) -> Identifier {
        let type = try Identifier("H5Tcopy", "text type", release: H5Tclose) { H5Tcopy(shim_string()) }
        let raw = type.raw
        try Library.call("H5Tset_size", "text type") { H5Tset_size(raw, max(1, bytes)) }
        try Library.call("H5Tset_strpad", "text type") { H5Tset_strpad(raw, H5T_STR_NULLPAD) }
        try Library.call("H5Tset_cset", "text type") { H5Tset_cset(raw, H5T_CSET_UTF8) }
        return type
    }
}
