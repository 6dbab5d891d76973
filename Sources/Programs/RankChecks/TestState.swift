package import Checkpoints
package import Tensors

/// A small model state whose every number is a function of tensor and place, so that any cut of it can be checked.
package struct TestState: Sendable {
    package var step: Int
    package var shapes: [(name: String, shape: [Int])] = [
        ("parameters/embedding", [37, 8]), ("parameters/blocks.0.norm", [8]),
        ("parameters/blocks.0.experts.gate_up", [4, 8, 6]), ("optimizer/first_moment/embedding", [37, 8]),
        ("optimizer/first_moment/blocks.0.norm", [8]),
    ]

    package init(step: Int) { self.step = step }

    package func value(_ tensor: Int, _ index: Int) -> Float {
        Float(index + 1) * 0.001 + Float(tensor) * 10 + Float(step)
    }

    package var record: CheckpointRecord {
        CheckpointRecord(
            run: "test run/1", step: step, tokens: step * 512, sequences: step * 16, seed: 7,
            schedulePosition: step - 1,
            dataPosition: step * 4,
            metricsBytes: step * 100, kernels: "portable", versions: ["switchyard": "0.0", "HDF5": "1.10"],
            configuration: "seed: 7\nrun:\n  directory: \"x\"\n", tokenizer: "bytes\n", extras: ["best": "2.5"])
    }

    /// A rectangle of a tensor with its right numbers.
    package func shard(_ tensor: Int, _ rectangle: Rectangle) -> TensorShard {
        let values = Vector<Float>(count: rectangle.count)
        rectangle.forEachRun(in: shapes[tensor].shape) { local, global, length in
            for i in 0..<length { values[local + i] = value(tensor, global + i) }
        }
        return TensorShard(
            name: shapes[tensor].name, globalShape: shapes[tensor].shape, offset: rectangle.offset,
            shape: rectangle.shape, values: values)
    }

    /// What rank `rank` of `size` owns: tensors cut along the axis `axis` (modulo their rank) in almost equal parts.
    package func owned(by rank: Int, of size: Int, axis: Int = 0) -> [TensorShard] {
        shapes.indices.map { tensor in
            let shape = shapes[tensor].shape, d = axis % shape.count
            var part = Rectangle(whole: shape)
            part.offset[d] = shape[d] * rank / size
            part.shape[d] = shape[d] * (rank + 1) / size - part.offset[d]
            return shard(tensor, part)
        }
    }

    /// What differs between a checkpoint and this state.
    package func differences(from reader: CheckpointReader) throws -> [String] {
        var found: [String] = []
        if reader.record != record { found.append("record \(reader.record)") }
        if reader.tensors.map(\.name) != shapes.map(\.name).sorted() { found.append("tensors \(reader.tensors)") }
        for (tensor, (name, shape)) in shapes.enumerated() {
            let values = try reader.read(name)
            let isRight = (0..<values.count).allSatisfy { values[$0] == value(tensor, $0) }
            if !isRight || values.count != shape.reduce(1, *) { found.append("numbers of \(name)") }
        }
        return found
    }
}
