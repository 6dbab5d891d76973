package import Diagnostics
import Platform
package import Tensors

/// A checkpoint written by one process from numbers that it never holds all at once.
package enum StreamedCheckpoint {
    /// A tensor to come.
    package struct Entry: Sendable {
        package var name: String
        package var shape: [Int]
        /// What its numbers must sum up to, if that is known beforehand.
        package var digest: UInt64?

        package init(name: String, shape: [Int], digest: UInt64? = nil) {
            self.name = name
            self.shape = shape
            self.digest = digest
        }
    }

    /// Cuts every tensor along its first axis into `shards` almost equal parts, asks for their numbers one after the other
    /// and publishes the result as the directory `target`.
    ///
    /// - Parameter numbers: some rows of a tensor, row-major: 16 MB of them, or one row
    /// - Returns: bytes written
    /// - Throws: if `target` exists, or a tensor is not what its digest says
    package static func write(
        _ record: CheckpointRecord, _ parts: [Entry], to target: String, shards: Int = 1,
        numbers: (String, Rectangle) throws(Failure) -> Vector<Float>
    ) throws(Failure) -> Int {
        let target = target.hasSuffix("/") ? String(target.dropLast()) : target
        let staging = try StagingDirectory(for: target)
        defer { staging.discard() }
        let tensors = try layout(of: parts, shards: shards)
        let draft = try draft(record, tensors, in: staging.path, shards: shards, numbers) { tensors throws(Failure) in
            try compare(tensors, parts)
        }
        let bytes = try draft.publish(as: target, FaultPoints())
        staging.wasPublished()
        return bytes
    }

    /// Writes the shards; `check` sees the tensors with the digests of what was written.
    private static func draft(
        _ record: CheckpointRecord, _ given: [StoredTensor], in staging: String, shards: Int,
        _ numbers: (String, Rectangle) throws(Failure) -> Vector<Float>,
        check: ([StoredTensor]) throws(Failure) -> Void
    ) throws(Failure) -> StagedCheckpoint {
        var tensors = given
        var digests: [String: UInt64] = [:], reports: [ShardReport] = []
        let files = (0..<shards).map {
            CheckpointNames.shard(run: record.run, step: record.step, file: $0, of: shards)
        }
        for (number, file) in files.enumerated() {
            let pieces = tensors.flatMap { tensor in
                tensor.pieces.filter { $0.file == number }.map { (tensor: tensor, piece: $0) }
            }
            let shard = ShardFile(group: nil, access: .inTurn, path: "\(staging)/\(file)", pieces: pieces)
            let report = try shard.stream { tensor, part throws(Failure) in
                let values = try numbers(tensor.name, part)
                let written = TensorShard(
                    name: tensor.name, globalShape: tensor.shape, offset: part.offset, shape: part.shape, values: values
                )
                digests[tensor.name, default: 0] &+= written.digest
                return values
            }
            reports.append(report)
        }
        for index in tensors.indices { tensors[index].digest = digests[tensors[index].name] ?? 0 }
        try check(tensors)
        return try StagedCheckpoint(staging: staging, record: record, files: files, tensors: tensors, reports: reports)
    }

    private static func compare(_ tensors: [StoredTensor], _ parts: [Entry]) throws(Failure) {
        let digests = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.digest) })
        for part in parts {
            guard let expected = part.digest, digests[part.name] != expected else { continue }
            throw Failure(.data, "\(part.name) is not what it was: its checksum differs")
        }
    }

    private static func layout(of parts: [Entry], shards: Int) throws(Failure) -> [StoredTensor] {
        let owned = (0..<shards).map { shard in
            parts.map { tensor in
                let rows = tensor.shape[0]
                var part = Rectangle(whole: tensor.shape)
                part.offset[0] = rows * shard / shards
                part.shape[0] = rows * (shard + 1) / shards - part.offset[0]
                return CheckpointLayout.Part(name: tensor.name, globalShape: tensor.shape, rectangle: part)
            }
        }
        return try CheckpointLayout(owned: owned, fileOfRank: Array(0..<shards)).tensors
    }
}
