import Diagnostics
import Platform

/// A staged checkpoint whose shards are complete: rank 0 adds index and manifest and makes it visible.
struct StagedCheckpoint {
    private let staging: String
    private let record: CheckpointRecord
    private let shards: [String]
    private var manifest: Manifest

    init(
        staging: String, record: CheckpointRecord, files: [String], tensors: [StoredTensor], reports: [ShardReport]
    ) throws(Failure) {
        self.staging = staging
        self.record = record
        shards = files
        manifest = Manifest(
            step: record.step,
            files: zip(files, reports).map { Manifest.File(name: $0, digest: $1.digest) }, tensors: tensors)
        for (file, report) in reports.enumerated() {
            let places = tensors.indices.flatMap { t in
                tensors[t].pieces.indices.filter { tensors[t].pieces[$0].file == file }.map { (t, $0) }
            }
            guard places.count == report.byteOffsets.count else {
                throw Failure(
                    .software, "\(files[file]) holds \(report.byteOffsets.count) datasets, not \(places.count)")
            }
            for ((t, p), offset) in zip(places, report.byteOffsets) {
                manifest.tensors[t].pieces[p].byteOffset = offset
            }
        }
    }

    /// - Parameter owns: throws if the target is not this job's to write any more
    /// - Returns: bytes of all files
    func publish(
        as target: String, _ faults: FaultPoints, owns: () throws(Failure) -> Void = {}
    ) throws(Failure) -> Int {
        let index = "\(staging)/\(IndexFile.name)", table = "\(staging)/\(Manifest.fileName)"
        try IndexFile.write(to: index, record, manifest.tensors, shards: shards) { () throws(Failure) in
            try faults.inject(.index, step: record.step)
        }
        try Files.sync(index)
        var manifest = manifest
        manifest.files.append(Manifest.File(name: IndexFile.name, digest: try FileDigest(of: index)))
        let bytes = manifest.bytes
        try Files.write(Array(bytes.prefix(bytes.count / 2)), to: table)
        try faults.inject(.manifest, step: record.step)
        try Files.write(bytes, to: table)
        try faults.inject(.fsync, step: record.step)
        try Files.sync(table)
        try refuseSurplus(manifest)
        try Files.sync(staging)
        try faults.inject(.rename, step: record.step)
        try owns()
        try moveAside(target)
        try Files.rename(staging, to: target)
        try Files.sync(splitPath(target).parent)
        return bytes.count + manifest.bytesOfFiles
    }

    private func refuseSurplus(_ manifest: Manifest) throws(Failure) {
        let expected = Set(manifest.files.map(\.name) + [Manifest.fileName])
        let found = Set((Files.names(in: staging) ?? []).filter { !CheckpointNames.isOfTheSystem($0) })
        guard found == expected else {
            let odd = found.symmetricDifference(expected).sorted().joined(separator: ", ")
            throw Failure(.inputOutput, "\(staging): files appeared or vanished during the save: \(odd)")
        }
    }

    /// A directory of that step that is damaged or holds another state keeps its files under another name: `rename`
    /// cannot replace a directory that is not empty.
    private func moveAside(_ target: String) throws(Failure) {
        guard Files.exists(target) else { return }
        let number = (1...).first { !Files.exists("\(target).replaced-\($0)") } ?? 1
        try Files.rename(target, to: "\(target).replaced-\(number)")
    }
}
