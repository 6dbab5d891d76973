import Diagnostics
import Platform

/// A file of text as it was when it was looked at, so that a later change can be told.
package struct TextFile: Codable, Equatable, Sendable {
    package var path: String
    package var bytes: Int
    /// Nanoseconds since 1970.
    package var modified: Int
    /// The field or column that holds its texts, where it has fields; nil if none was named.
    package var textField: String?

    /// - Throws: `noInput` if there is no such file
    init(_ path: String, textField: String?) throws(Failure) {
        let status = try fileStatus(path)
        self.path = path
        self.textField = textField
        bytes = Int(status.st_size)
        let time = status.st_mtim
        modified = Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}

/// - Throws: `noInput` if there is nothing at `path`
func fileStatus(_ path: String) throws(Failure) -> stat {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
        throw Failure(system: .noInput, "cannot read \(path)")
    }
    return status
}
