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
        let obvious = obviousFindings(in: directory, manifest)
        guard obvious.isEmpty else { return obvious }
        return manifest.files.indices.filter { $0 % share.of == share.index }.flatMap { number in
            findingsByReading(number, in: directory, manifest)
        }
    }

    /// What is wrong at first sight: names and sizes.
    static func obviousFindings(in directory: String, _ manifest: Manifest) -> [String] {
        guard let names = Files.names(in: directory) else { return ["\(directory) cannot be read"] }
        let expected = Set(manifest.files.map(\.name) + [Manifest.fileName])
        var findings = names.filter { !expected.contains($0) }.map { "\($0) does not belong to this checkpoint" }
        for (number, file) in manifest.files.enumerated() {
            let path = "\(directory)/\(file.name)"
            if !Files.exists(path) {
                findings.append("\(file.name) is missing" + loss(number, in: directory, manifest))
            } else if !Files.isRegularFile(path) {
                findings.append("\(file.name) is not a regular file" + loss(number, in: directory, manifest))
            } else if let size = Files.size(of: path), size != file.digest.bytes {
                let sizes = "has \(size) bytes, not \(file.digest.bytes)"
                findings.append("\(file.name) \(sizes)" + loss(number, in: directory, manifest))
            }
        }
        return findings
    }

    private static func findingsByReading(_ number: Int, in directory: String, _ manifest: Manifest) -> [String] {
        let file = manifest.files[number]
        do {
            guard try FileDigest(of: "\(directory)/\(file.name)") != file.digest else { return [] }
            return ["\(file.name) differs from what was written" + loss(number, in: directory, manifest)]
        } catch {
            return [error.message]
        }
    }

    /// Which tensors a damaged file has lost: `; damaged: parameters/a, parameters/b and 12 more`.
    private static func loss(_ file: Int, in directory: String, _ manifest: Manifest) -> String {
        let held = manifest.tensors.filter { $0.pieces.contains { $0.file == file } }
        let lost = held.filter { RawPieces.digest(of: $0, in: directory, manifest.files) != $0.digest }.map(\.name)
        if lost.isEmpty {
            return held.isEmpty ? "" : "; the numbers of its tensors are whole, what describes them is not"
        }
        let rest = lost.count > 3 ? " and \(lost.count - 3) more" : ""
        return "; damaged: " + lost.prefix(3).joined(separator: ", ") + rest
    }

    /// Tensors whose stored numbers are not those that training had: finds what went wrong before the files were hashed.
    package static func tensorFindings(in directory: String, _ manifest: Manifest) -> [String] {
        manifest.tensors.filter { RawPieces.digest(of: $0, in: directory, manifest.files) != $0.digest }.map {
            "\($0.name) is not what was saved: its checksum differs"
        }
    }
}
