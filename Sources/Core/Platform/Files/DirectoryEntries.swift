package import Diagnostics

/// The names in a directory, except `.` and `..`, as the bytes that they are, in ascending order. A name need not be UTF-8.
/// - Throws: `noInput` with the system's reason
package func directoryEntries(_ directory: String) throws(Failure) -> [[UInt8]] {
    guard let stream = unsafe opendir(directory) else {
        throw Failure(.noInput, "cannot list \(directory): \(systemError())")
    }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while true {
        errno = 0
        guard let entry = unsafe readdir(stream) else { break }
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe Array(bytes.prefix { $0 != 0 })
        }
        if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
    }
    guard errno == 0 else { throw Failure(.noInput, "cannot list \(directory): \(systemError())") }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
}
