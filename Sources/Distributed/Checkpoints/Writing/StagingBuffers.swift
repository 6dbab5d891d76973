package import Tensors

/// Room for a copy of what a rank saves: the copy is written while the original changes.
package struct StagingBuffers: Sendable {
    private let room: [Vector<Float>]

    /// Room for shards like these.
    package init(for shards: [TensorShard]) { room = shards.map { Vector(count: $0.values.count) } }

    /// `shards` with the numbers they have now. The copies stay as they are until the next call.
    package func copy(_ shards: [TensorShard]) -> [TensorShard] {
        precondition(shards.count == room.count, "other shards than there is room for")
        return zip(shards, room).map { shard, room in
            precondition(shard.values.count == room.count, "\(shard.name) has another size than there is room for")
            room.copy(from: shard.values)
            var copy = shard
            copy.values = room
            return copy
        }
    }
}
