package import Diagnostics
import Platform

/// Bytes before trust: a checkpoint is compared with its manifest before anything interprets its files.
///
/// All names are looked up in the directory that was opened first, and what was hashed is what is read afterwards: a job that
/// removes or replaces the checkpoint meanwhile changes nothing of it.
package final class Verification {
    package let manifest: Manifest
    private let directory: OpenDirectory
    /// Files that were hashed, as they were opened for it.
    private var hashed: [Int: (identity: FileIdentity, file: RegularFile?)] = [:]
    /// Files that are open to read.
    private var open: [Int: RegularFile] = [:]
    /// Whether the numbers of a tensor are those of the manifest, where that has been asked.
    private var intact: [Int: Bool] = [:]
    private lazy var tensorsOfFile: [Int: [Int]] = {
        var result: [Int: [Int]] = [:]
        for (number, tensor) in manifest.tensors.enumerated() {
            for file in Set(tensor.pieces.map(\.file)) { result[file, default: []].append(number) }
        }
        return result
    }()

    /// Files that stay open.
    private static let mostOpen = 256

    /// Reads the manifest of a directory, which vouches for itself only.
    /// - Throws: `noInput` if there is none, `data` if it is damaged
    package init(_ path: String) throws(Failure) {
        do throws(Failure) {
            directory = try OpenDirectory(path)
        } catch {
            throw Failure(.noInput, "there is no checkpoint \(path)", advice: "a checkpoint is a directory")
        }
        let bytes = try RegularFile(Manifest.fileName, in: directory).contents(limit: Manifest.limit)
        manifest = try Manifest(bytes: bytes, path: "\(path)/\(Manifest.fileName)")
    }

    package static func manifest(of directory: String) throws(Failure) -> Manifest {
        try Verification(directory).manifest
    }

    /// Whether the path still leads to what is examined here: not if a job has removed or replaced the checkpoint meanwhile.
    package var isInPlace: Bool { directory.isInPlace }

    /// Everything wrong with the checkpoint, in words; empty if each file is to the bit what the manifest says, and each tensor
    /// what training had when it saved. Files that the manifest does not name are no damage: `surplus`.
    ///
    /// - Parameter share: of the files and of the tensors, only every `of`-th from `index` on is read; names and sizes are
    ///   always checked
    package func findings(share: (index: Int, of: Int) = (0, 1)) -> [String] {
        let obvious = obviousFindings()
        guard obvious.isEmpty else { return obvious }
        let damaged = manifest.files.indices.filter { $0 % share.of == share.index }.flatMap(findingsByReading)
        return damaged.isEmpty ? tensorFindings(share: share) : damaged
    }

    /// What is wrong at first sight: names and sizes.
    func obviousFindings() -> [String] {
        var findings: [String] = []
        let name = splitPath(directory.path).name
        if let step = CheckpointNames.step(of: name), step != manifest.step {
            findings.append("it is called \(name) but holds step \(manifest.step): it was renamed")
        }
        for (number, file) in manifest.files.enumerated() {
            if !directory.contains(file.name) {
                findings.append("\(file.name) is missing" + loss(number))
            } else if let size = directory.size(ofFile: file.name) {
                guard size != file.digest.bytes else { continue }
                findings.append("\(file.name) has \(size) bytes, not \(file.digest.bytes)" + loss(number))
            } else {
                findings.append("\(file.name) is not a regular file" + loss(number))
            }
        }
        return findings
    }

    /// Names in the directory that the manifest does not list and that no system or file manager puts there.
    package func surplus() -> [String] {
        let expected = Set(manifest.files.map(\.name) + [Manifest.fileName])
        let names = (try? directory.names()) ?? []
        return names.filter { !expected.contains($0) && !CheckpointNames.isOfTheSystem($0) }.map { visible($0) }
    }

    private func findingsByReading(_ number: Int) -> [String] {
        let expected = manifest.files[number]
        do {
            let file = try RegularFile(expected.name, in: directory)
            guard try FileDigest(of: file) == expected.digest else {
                return ["\(expected.name) differs from what was written" + loss(number)]
            }
            hashed[number] = (file.identity, hashed.count < Self.mostOpen ? file : nil)
            return []
        } catch {
            return [error.message]
        }
    }

    /// Which tensors a damaged file has lost: `; damaged: parameters/a, parameters/b and 12 more`.
    private func loss(_ file: Int) -> String {
        let held = tensorsOfFile[file] ?? []
        let lost = held.filter { !isIntact($0) }.map { manifest.tensors[$0].name }
        if lost.isEmpty {
            return held.isEmpty ? "" : "; the numbers of its tensors are whole, what describes them is not"
        }
        let rest = lost.count > 3 ? " and \(lost.count - 3) more" : ""
        return "; damaged: " + lost.prefix(3).joined(separator: ", ") + rest
    }

    private func isIntact(_ number: Int) -> Bool {
        if let known = intact[number] { return known }
        let tensor = manifest.tensors[number]
        let found = RawRanges.digest(of: tensor) { file throws(Failure) in try self.file(file) }
        intact[number] = found == tensor.digest
        return found == tensor.digest
    }

    /// Tensors whose stored numbers are not those that training had: finds what went wrong before the files were hashed.
    private func tensorFindings(share: (index: Int, of: Int)) -> [String] {
        manifest.tensors.indices.filter { $0 % share.of == share.index && !isIntact($0) }.map {
            "\(manifest.tensors[$0].name) is not what was saved: its checksum differs"
        }
    }

    /// File `number` of the manifest, to read: the one that was hashed here, if it was.
    /// - Throws: `data` if another has taken its place since
    func file(_ number: Int) throws(Failure) -> RegularFile {
        if let file = hashed[number]?.file ?? open[number] { return file }
        let expected = manifest.files[number], file = try RegularFile(expected.name, in: directory)
        guard hashed[number].map({ $0.identity == file.identity }) ?? true else {
            throw Failure(.data, "\(file.path) was replaced after it was verified")
        }
        if open.count >= Self.mostOpen { open = [:] }
        open[number] = file
        return file
    }

    /// Gives the files back.
    func close() {
        open = [:]
        for (number, entry) in hashed { hashed[number] = (entry.identity, nil) }
    }
}
