import CHDF5

/// What can carry attributes: small named values beside the data.
package protocol HDF5Object {
    var path: String { get }
    var rawIdentifier: Int64 { get }
}

extension HDF5Group { package var rawIdentifier: Int64 { raw } }
extension HDF5Dataset { package var rawIdentifier: Int64 { raw } }

extension HDF5Object {
    /// Writes a text of up to 64 kB.
    package func setAttribute(_ name: String, _ text: String) throws(HDF5Error) {
        try refuseZeroBytes(text, name)
        let bytes = Array(text.utf8) + [0]
        let type = try Identifier.text(bytes: bytes.count - 1)
        let raw = type.raw
        try writeAttribute(name, stored: { raw }, native: { raw }, shape: [], bytes)
    }

    /// Writes one number.
    package func setAttribute(_ name: String, _ value: some HDF5Element) throws(HDF5Error) {
        let storage = type(of: value).storage
        try writeAttribute(name, stored: { storage.stored }, native: { storage.native }, shape: [], [value])
    }

    /// Writes a list of numbers; it must not be empty.
    package func setAttribute<Element: HDF5Element>(_ name: String, _ values: [Element]) throws(HDF5Error) {
        let storage = Element.storage
        try writeAttribute(name, stored: { storage.stored }, native: { storage.native }, shape: [values.count], values)
    }

    private func writeAttribute<Element: BitwiseCopyable>(
        _ name: String, stored: () -> hid_t, native: () -> hid_t, shape: [Int], _ values: [Element]
    ) throws(HDF5Error) {
        let space = try Identifier.space(shape), spaceID = space.raw, owner = rawIdentifier
        let attribute = try Identifier("H5Acreate", "\(path): attribute \(name)", release: H5Aclose) {
            unsafe H5Acreate2(owner, name, stored(), spaceID, shim_default(), shim_default())
        }
        let id = attribute.raw
        try Library.call("H5Awrite", "\(path): attribute \(name)") { unsafe H5Awrite(id, native(), values) }
    }

    /// The text attribute `name`.
    package func textAttribute(_ name: String) throws(HDF5Error) -> String {
        let attribute = try openAttribute(name), subject = "\(path): attribute \(name)", id = attribute.raw
        let type = try Identifier("H5Aget_type", subject, release: H5Tclose) { H5Aget_type(id) }
        let stored = type.raw, size = try textSize(of: stored, subject)
        let space = try Identifier("H5Aget_space", subject, release: H5Sclose) { H5Aget_space(id) }, spaceID = space.raw
        let count = try Library.call("H5Sget_simple_extent_npoints", subject) { H5Sget_simple_extent_npoints(spaceID) }
        guard count == 1, size <= 65536 else {
            throw HDF5Error.contents("\(subject) has \(count) texts of \(size) bytes; it is one of at most 65536")
        }
        var bytes = [UInt8](repeating: 0, count: size)
        try Library.call("H5Aread", subject) { unsafe H5Aread(id, stored, &bytes) }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The numbers of attribute `name`, converted; one number if it was written as one.
    package func attribute<Element: HDF5Element & ExpressibleByIntegerLiteral>(
        _ name: String, as: Element.Type
    ) throws(HDF5Error) -> [Element] {
        let attribute = try openAttribute(name), subject = "\(path): attribute \(name)", id = attribute.raw
        let space = try Identifier("H5Aget_space", subject, release: H5Sclose) { H5Aget_space(id) }
        let spaceID = space.raw
        let count = try Library.call("H5Sget_simple_extent_npoints", subject) { H5Sget_simple_extent_npoints(spaceID) }
        guard count <= 65536 else {
            throw HDF5Error.contents("\(subject) has \(count) elements; an attribute is small")
        }
        var values = [Element](repeating: 0, count: Int(count))
        try Library.call("H5Aread", subject) { unsafe H5Aread(id, Element.storage.native, &values) }
        return values
    }

    package func hasAttribute(_ name: String) throws(HDF5Error) -> Bool {
        let owner = rawIdentifier
        return try Library.call("H5Aexists", "\(path): attribute \(name)") { unsafe H5Aexists(owner, name) } > 0
    }

    private func openAttribute(_ name: String) throws(HDF5Error) -> Identifier {
        let owner = rawIdentifier
        return try Identifier("H5Aopen", "\(path): attribute \(name)", release: H5Aclose) {
            unsafe H5Aopen(owner, name, shim_default())
        }
    }
}

/// Bytes of a fixed-length text type; anything else is refused.
func textSize(of type: hid_t, _ subject: String) throws(HDF5Error) -> Int {
    let kind = try Library.call("H5Tget_class", subject) { H5Tget_class(type).rawValue }
    let isVariable = try Library.call("H5Tis_variable_str", subject) { H5Tis_variable_str(type) }
    guard kind == H5T_STRING.rawValue, isVariable == 0 else {
        throw HDF5Error.contents("\(subject) is not a text of fixed length")
    }
    var size = 0
    try Library.call("H5Tget_size", subject) {
        size = H5Tget_size(type)
        return size == 0 ? -1 : 0
    }
    return size
}

/// Texts are stored padded with zero bytes, so they can contain none.
func refuseZeroBytes(_ text: String, _ name: String) throws(HDF5Error) {
    guard text.utf8.contains(0) else { return }
    throw HDF5Error.contents("the text `\(name)` contains a zero byte and cannot be stored")
}
