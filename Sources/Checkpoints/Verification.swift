import Collectives
package import Diagnostics
import Hashing

/// Bytes before trust: a checkpoint is compared with its manifest before any library parses its files.
package enum Verification {
    /// The manifest of a directory, which vouches for itself only.
    package static func manifest(of directory: String) throws(Failure) -> Manifest {
        let path = "\(directory)/\(Manifest.fileName)"
        return try Manifest(bytes: try Files.read(path, limit: Manifest.limit), path: path)
    }

    /// Everything wrong with the files in `directory`, in words; empty if each is to the bit what the manifest says.
    ///
    /// - Parameter share: of the files, only every `of`-th from `index` on is read; names and sizes are always checked
    package static func findings(
        in directory: String, _ manifest: Manifest, share: (index: Int, of: Int) = (0, 1)
    ) -> [String] {
        guard let names = Files.names(in: directory) else { return ["\(directory) cannot be read"] }
        let expected = Set(manifest.files.map(\.name) + [Manifest.fileName])
        var findings = names.filter { !expected.contains($0) }.map { "\($0) does not belong to this checkpoint" }
        for (number, file) in manifest.files.enumerated() {
            let path = "\(directory)/\(file.name)"
            if !Files.exists(path) {
                findings.append("\(file.name) is missing" + holdings(of: number, manifest))
            } else if !Files.isRegularFile(path) {
                findings.append("\(file.name) is not a regular file" + holdings(of: number, manifest))
            } else if let size = Files.size(of: path), size != file.digest.bytes {
                findings.append(
                    "\(file.name) has \(size) bytes, not \(file.digest.bytes)" + holdings(of: number, manifest))
            } else if number % share.of == share.index {
                findings += readingFindings(path, number, manifest)
            }
        }
        return findings
    }

    private static func readingFindings(_ path: String, _ number: Int, _ manifest: Manifest) -> [String] {
        let file = manifest.files[number]
        do {
            let found = try FileDigest(of: path)
            guard found != file.digest else { return [] }
            return ["\(file.name) differs from what was written" + holdings(of: number, manifest)]
        } catch {
            return [error.message]
        }
    }

    /// ` (it holds parameters/a, parameters/b and 12 more tensors)`
    private static func holdings(of file: Int, _ manifest: Manifest) -> String {
        let names = manifest.tensors.filter { $0.pieces.contains { $0.file == file } }.map(\.name)
        guard !names.isEmpty else { return "" }
        let rest = names.count > 3 ? " and \(names.count - 3) more tensors" : ""
        return " (it holds " + names.prefix(3).joined(separator: ", ") + rest + ")"
    }
}
