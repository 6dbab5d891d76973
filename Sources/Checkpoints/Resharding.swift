import Collectives
package import Diagnostics
import Tensors

/// The same checkpoint in another number of shards.
package enum Resharding {
    /// Cuts every tensor of `source` along its first axis into `shards` almost equal parts and publishes the result as
    /// the directory `target`. Memory: one piece of one tensor.
    ///
    /// - Returns: bytes written
    /// - Throws: if the source does not verify, or `target` exists
    package static func reshard(_ source: String, to target: String, shards: Int) throws(Failure) -> Int {
        let target = target.hasSuffix("/") ? String(target.dropLast()) : target
        let reader = try CheckpointReader(source)
        guard !Files.exists(target) else {
            throw Failure(.cannotCreate, "\(target) exists already", advice: "name a new directory")
        }
        let layout = try layout(of: reader.tensors, shards: shards)
        let staging = stagingName(for: target)
        let files = (0..<shards).map {
            CheckpointNames.shard(run: reader.record.run, step: reader.record.step, file: $0, of: shards)
        }
        try Files.remove(staging)
        try Files.makeDirectory(staging)
        do {
            var reports: [ShardReport] = []
            for (number, file) in files.enumerated() {
                let pieces = layout.flatMap { tensor in
                    tensor.pieces.filter { $0.file == number }.map { (tensor: tensor, piece: $0) }
                }
                let shard = ShardFile(group: nil, access: .inTurn, path: "\(staging)/\(file)", pieces: pieces)
                reports.append(
                    try shard.stream { tensor, piece throws(Failure) in
                        try reader.read(tensor.name, offset: piece.rectangle.offset, shape: piece.rectangle.shape)
                    })
            }
            let draft = try Draft(
                staging: staging, record: reader.record, files: files, tensors: layout, reports: reports)
            return try draft.publish(as: target, FaultPoints())
        } catch {
            try Files.remove(staging)
            throw error
        }
    }

    private static func layout(of tensors: [StoredTensor], shards: Int) throws(Failure) -> [StoredTensor] {
        let owned = (0..<shards).map { shard in
            tensors.map { tensor in
                let rows = tensor.shape[0]
                var part = Rectangle(whole: tensor.shape)
                part.offset[0] = rows * shard / shards
                part.shape[0] = rows * (shard + 1) / shards - part.offset[0]
                return CheckpointLayout.Part(name: tensor.name, globalShape: tensor.shape, rectangle: part)
            }
        }
        var layout = try CheckpointLayout(owned: owned, fileOfRank: Array(0..<shards)).tensors
        let digests = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.digest) })
        for index in layout.indices { layout[index].digest = digests[layout[index].name] ?? 0 }
        return layout
    }

    private static func stagingName(for target: String) -> String {
        let name = target.split(separator: "/").last.map(String.init) ?? target
        return "\(Files.parent(of: target))/\(CheckpointNames.staging)\(name)"
    }
}
