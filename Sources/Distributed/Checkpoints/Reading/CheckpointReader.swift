package import Collectives
package import Diagnostics
import Platform
package import Tensors

/// A verified checkpoint to read from: any rectangle of any tensor, whatever ranks and shards it was written by.
///
/// Numbers are read from the files that were hashed, at the places that the manifest gives: not through the index, behind which
/// a shard that is missing reads as NaN without an error, and not by HDF5, which would follow what a file says of other files.
package final class CheckpointReader {
    package let directory: String
    package let record: CheckpointRecord
    /// By name.
    package let tensors: [StoredTensor]
    private var numbers: [String: Int]
    private let verification: Verification

    /// Verifies every byte of the checkpoint.
    /// - Parameter ranks: if given, they verify the files together and agree. Collective then; reading is not
    /// - Throws: naming every file that is missing or damaged
    package init(_ directory: String, sharedBy ranks: (any Communicator)? = nil) throws(Failure) {
        self.directory = directory
        let agreement = ranks.map { Agreement(ranks: $0) }
        let index: Int
        if let agreement {
            (verification, index) = try agreement.onAllRanks { () throws(Failure) in
                try Self.verify(directory, share: (agreement.ranks.rank, agreement.ranks.size))
            }
        } else {
            (verification, index) = try Self.verify(directory, share: (0, 1))
        }
        tensors = verification.manifest.tensors
        numbers = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
        let verified = verification
        if let agreement {
            record = try agreement.onAllRanks { () throws(Failure) in try Self.record(of: verified, index) }
        } else {
            record = try Self.record(of: verified, index)
        }
    }

    /// - Returns: also the index's number among the files
    private static func verify(_ directory: String, share: (Int, Int)) throws(Failure) -> (Verification, index: Int) {
        let verification = try Verification(directory)
        let findings = verification.findings(share: share)
        guard findings.isEmpty else {
            let rest = findings.count > 20 ? "; and \(findings.count - 20) more" : ""
            throw Failure(
                .data,
                "the checkpoint \(directory) does not verify: " + findings.prefix(20).joined(separator: "; ") + rest,
                advice: "use another checkpoint of the run; `switchyard verify` checks one")
        }
        guard let index = verification.manifest.files.firstIndex(where: { $0.name == IndexFile.name }) else {
            throw Failure(.data, "the manifest of \(directory) lists no \(IndexFile.name)")
        }
        return (verification, index)
    }

    private static func record(of verification: Verification, _ index: Int) throws(Failure) -> CheckpointRecord {
        let file = try verification.file(index)
        let record = try IndexFile.readRecord(file)
        guard record.step == verification.manifest.step else {
            throw Failure(
                .data,
                "\(file.path) says step \(record.step), the manifest beside it step \(verification.manifest.step)",
                advice: "they belong to different checkpoints: use another")
        }
        return record
    }

    /// Gives `tensor` wherever `name` is asked for from now on.
    func substitute(_ tensor: StoredTensor, for name: String) { numbers[name] = numbers[tensor.name] }

    package func tensor(_ name: String) throws(Failure) -> StoredTensor {
        guard let number = numbers[name] else {
            let near = nearestName(to: name, among: tensors.map(\.name))
            throw Failure(
                .data, "\(directory) holds no tensor `\(name)`", advice: near.map { "the nearest name is `\($0)`" })
        }
        return tensors[number]
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
        guard wanted.isContained(in: tensor.shape), values.count == wanted.count else {
            throw Failure(
                .data, "\(directory): \(name) has shape \(tensor.shape); \(wanted) was asked for",
                advice: "the model's shapes must be those of the checkpoint")
        }
        for piece in tensor.pieces {
            guard let common = wanted.intersection(piece.rectangle) else { continue }
            let file = try verification.file(piece.file)
            try RawRanges.read(
                common.relative(to: piece.rectangle), of: piece, from: file, to: common.relative(to: wanted),
                in: wanted.shape, of: values)
        }
    }

    /// What to say of files in the directory that do not belong to it, if there are any. None of them is read: all that is lies
    /// in verified files.
    package var surplusWarning: String? {
        let surplus = verification.surplus()
        guard !surplus.isEmpty else { return nil }
        return "\(directory) holds what does not belong to the checkpoint and is not read: "
            + surplus.prefix(20).joined(separator: ", ") + (surplus.count > 20 ? " and \(surplus.count - 20) more" : "")
    }

    /// Gives the files back; the next read opens them again.
    package func close() throws(Failure) { verification.close() }
}
