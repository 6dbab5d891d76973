/// What one rank owns of one tensor: a rectangle of it.
///
/// Names are paths such as `parameters/blocks.0.experts.gate_up` or `optimizer/first_moment/embedding`; every element
/// of every tensor is owned by exactly one rank, so replicated numbers have one owner too.
package struct TensorShard: Sendable {
    package var name: String
    package var globalShape: [Int]
    package var offset: [Int]
    package var shape: [Int]
    /// Row-major, `shape` elements.
    package var values: Vector<Float>

    package init(name: String, globalShape: [Int], offset: [Int], shape: [Int], values: Vector<Float>) {
        precondition(values.count == shape.reduce(1, *), "\(name): \(values.count) numbers for shape \(shape)")
        self.name = name
        self.globalShape = globalShape
        self.offset = offset
        self.shape = shape
        self.values = values
    }

    /// All of a tensor, owned by this rank.
    package init(name: String, shape: [Int], values: Vector<Float>) {
        self.init(name: name, globalShape: shape, offset: shape.map { _ in 0 }, shape: shape, values: values)
    }

    package var rectangle: Rectangle { Rectangle(offset: offset, shape: shape) }

    /// What this part contributes to the tensor's `TensorDigest`.
    package var digest: UInt64 {
        let digest = TensorDigest(name: name)
        var sum: UInt64 = 0
        rectangle.forEachRun(in: globalShape) { local, global, length in
            sum &+= digest.part(values[local..<local + length].span, at: global)
        }
        return sum
    }
}
