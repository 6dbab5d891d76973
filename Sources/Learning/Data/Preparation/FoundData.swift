package import Diagnostics
import Platform

/// What is at a path that a user names as training data.
package enum FoundData: Sendable {
    /// Token files, which bring their vocabulary.
    case tokens
    /// Texts, in files of so many bytes as they are stored.
    case texts(bytes: Int)

    /// - Throws: `noInput` or `data` if there is nothing that `data.train` takes
    package init(at path: String) throws(Failure) {
        if TokenFile.isTokenFile(path) {
            _ = try RegularFile(path)
            self = .tokens
            return
        }
        let files = try textFiles(at: [path], textField: nil)
        if files.contains(where: \.holdsTokens) {
            self = .tokens
            return
        }
        var bytes = 0
        for file in files { bytes += try RegularFile(file.path).size }
        self = .texts(bytes: bytes)
    }
}
