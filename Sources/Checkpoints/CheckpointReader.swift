package import Collectives
package import Diagnostics
import HDF5
package import Tensors

/// A verified checkpoint to read from: any rectangle of any tensor, whatever ranks and shards it was written by.
///
/// Shards are opened one by one with the serial driver, never through the index: a shard that is missing behind a
/// virtual dataset reads as NaN without an error.
package final class CheckpointReader {
    package let directory: String
    package let record: CheckpointRecord
    /// By name.
    package let tensors: [StoredTensor]
    private let files: [String]
    private var open: [Int: HDF5File] = [:]

    /// Verifies every byte of the checkpoint, then opens it.
    /// - Parameter ranks: if given, they verify the files together and agree. Collective then; reading is not
    /// - Throws: naming every file that is missing, surplus or damaged
    package init(_ directory: String, sharedBy ranks: (any Communicator)? = nil) throws(Failure) {
        let manifest: Manifest
        let agreement = ranks.map { Agreement(ranks: $0) }
        if let agreement {
            manifest = try agreement.settle { () throws(Failure) in
                try Self.verify(directory, share: (agreement.ranks.rank, agreement.ranks.size))
            }
        } else {
            manifest = try Self.verify(directory, share: (0, 1))
        }
        self.directory = directory
        tensors = manifest.tensors
        files = manifest.files.map(\.name)
        let index = "\(directory)/\(IndexFile.name)"
        if let agreement {
            record = try agreement.settle { () throws(Failure) in try IndexFile.readRecord(index) }
        } else {
            record = try IndexFile.readRecord(index)
        }
    }

    private static func verify(_ directory: String, share: (Int, Int)) throws(Failure) -> Manifest {
        guard Files.isDirectory(directory) else {
            throw Failure(.noInput, "there is no checkpoint \(directory)", advice: "a checkpoint is a directory")
        }
        let manifest = try Verification.manifest(of: directory)
        let findings = Verification.findings(in: directory, manifest, share: share)
        guard findings.isEmpty else {
            throw Failure(
                .data, "the checkpoint \(directory) does not verify: " + findings.joined(separator: "; "),
                advice: "use another checkpoint of the run; `switchyard verify` checks one")
        }
        guard manifest.files.contains(where: { $0.name == IndexFile.name }) else {
            throw Failure(.data, "the manifest of \(directory) lists no \(IndexFile.name)")
        }
        return manifest
    }

    package func tensor(_ name: String) throws(Failure) -> StoredTensor {
        guard let tensor = tensors.first(where: { $0.name == name }) else {
            let near = nearestName(to: name, among: tensors.map(\.name))
            throw Failure(
                .data, "\(directory) holds no tensor `\(name)`", advice: near.map { "the nearest name is `\($0)`" })
        }
        return tensor
    }

    /// A rectangle of a tensor, row-major.
    package func read(_ name: String, offset: [Int], shape: [Int]) throws(Failure) -> Vector<Float> {
        let values = Vector<Float>(count: shape.reduce(1, *))
        try read(name, offset: offset, shape: shape, into: values)
        return values
    }

    /// All of a tensor, row-major.
    package func read(_ name: String) throws(Failure) -> Vector<Float> {
        let shape = try tensor(name).shape
        return try read(name, offset: shape.map { _ in 0 }, shape: shape)
    }

    package func read(_ name: String, offset: [Int], shape: [Int], into values: Vector<Float>) throws(Failure) {
        let tensor = try tensor(name), wanted = Rectangle(offset: offset, shape: shape)
        guard wanted.lies(in: tensor.shape), values.count == wanted.count else {
            throw Failure(
                .data, "\(directory): \(name) has shape \(tensor.shape); \(wanted) was asked for",
                advice: "the model's shapes must be those of the checkpoint")
        }
        for piece in tensor.pieces {
            guard let common = wanted.intersection(piece.rectangle) else { continue }
            try read(common, of: piece, into: values, laidOut: wanted)
        }
    }

    /// Reads what a piece contributes, straight to its place where that is one run and through a copy otherwise.
    private func read(
        _ common: Rectangle, of piece: StoredPiece, into values: Vector<Float>, laidOut wanted: Rectangle
    ) throws(Failure) {
        let file = try file(piece.file), root = try file.root()
        let dataset = try root.dataset(piece.dataset)
        guard dataset.shape == piece.rectangle.shape else {
            throw Failure(.data, "\(dataset.path) has shape \(dataset.shape), not \(piece.rectangle.shape)")
        }
        let source = common.relative(to: piece.rectangle), target = common.relative(to: wanted)
        var runs: [(local: Int, global: Int, length: Int)] = []
        target.forEachRun(in: wanted.shape) { runs.append(($0, $1, $2)) }
        if let run = runs.first, runs.count == 1 {
            let window = values[run.global..<run.global + run.length]
            try dataset.read(into: window, offset: source.offset, shape: source.shape)
        } else {
            let copy = Vector<Float>(count: common.count)
            try dataset.read(into: copy, offset: source.offset, shape: source.shape)
            for run in runs {
                for i in 0..<run.length { values[run.global + i] = copy[run.local + i] }
            }
        }
        try dataset.close()
        try root.close()
    }

    private func file(_ number: Int) throws(Failure) -> HDF5File {
        if let file = open[number] { return file }
        let file = try HDF5File.open("\(directory)/\(files[number])")
        open[number] = file
        return file
    }

    /// Gives the files back; the next read opens them again.
    package func close() throws(Failure) {
        for file in open.values { try file.close() }
        open = [:]
    }
}
