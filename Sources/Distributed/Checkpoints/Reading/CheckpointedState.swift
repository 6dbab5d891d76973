package import Diagnostics
package import Tensors

/// State of a job that checkpoints keep: parameters, moments, and whatever else a job cannot go on without.
///
/// Whoever owns state conforms; saving and restoring are lists of such states and know nothing else of them.
package protocol CheckpointedState {
    /// What this rank holds, as parts of named tensors. The shards refer to the memory of the state: restoring fills it.
    var heldShards: [TensorShard] { get }
    /// What this rank writes of it: over all ranks, every element of every tensor once.
    var writtenShards: [TensorShard] { get }
    /// Called after the memory of the held shards was filled.
    func didRestore()
}

extension CheckpointedState {
    package func didRestore() {}

    /// Fills what this rank holds from a checkpoint that any ranks wrote.
    /// - Throws: `data` if a tensor is missing or has another shape
    package func restore(from reader: CheckpointReader) throws(Failure) {
        for shard in heldShards {
            let stored = try reader.tensor(shard.name)
            guard stored.shape == shard.globalShape else {
                throw Failure(
                    .data,
                    "\(reader.directory): `\(shard.name)` has shape \(stored.shape), but the model wants \(shard.globalShape)",
                    advice: "the checkpoint belongs to a model of another shape")
            }
            try reader.read(shard.name, offset: shard.offset, shape: shard.shape, into: shard.values)
        }
        didRestore()
    }
}
