package import Tensors

/// One number for every parameter this rank holds: the parameters themselves, their gradients or their moments.
package struct ParameterArena: Sendable {
    package let layout: ParameterLayout
    /// `[layout.count]`
    package let values: Vector<Float>

    package init(_ layout: ParameterLayout) {
        self.layout = layout
        values = Vector(count: layout.count)
    }

    /// Matrix `slab` of a tensor: the tensor itself, or the `slab`-th of this rank's experts.
    package func tensor(_ id: ParameterID, slab: Int = 0) -> Tensor {
        let entry = layout[id]
        precondition(slab >= 0 && slab < entry.slabs)
        let size = entry.rows * entry.columns
        let start = entry.offset + slab * size
        return Tensor(values[start..<start + size], rows: entry.rows, columns: entry.columns)
    }

    /// All this rank holds of a tensor.
    package func vector(_ id: ParameterID) -> Vector<Float> { values[layout[id].range] }
}
