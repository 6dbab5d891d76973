package import Diagnostics
import Platform
import Tensors

/// The same checkpoint in another number of shards.
package enum Resharding {
    /// Cuts every tensor of `source` along its first axis into `shards` almost equal parts and publishes the result as
    /// the directory `target`. Memory: some rows of one tensor.
    ///
    /// - Returns: bytes written
    /// - Throws: if the source does not verify, or `target` exists
    package static func reshard(_ source: String, to target: String, shards: Int) throws(Failure) -> Int {
        let reader = try CheckpointReader(source)
        var places = InputsAndOutputs()
        places.reads(source, as: "the checkpoint", isWhole: true)
        places.writes(target, as: "the output")
        try places.check()
        let parts = reader.tensors.map { StreamedCheckpoint.Entry(name: $0.name, shape: $0.shape, digest: $0.digest) }
        return try StreamedCheckpoint.write(
            reader.record, parts, to: target, shards: shards
        ) { name, part throws(Failure) in
            try reader.read(name, offset: part.offset, shape: part.shape)
        }
    }
}
