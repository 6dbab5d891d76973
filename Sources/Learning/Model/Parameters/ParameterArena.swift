import Kernels
package import Tensors
package import Threading

/// One number for every parameter this rank holds: the parameters themselves, their gradients or their moments.
package struct ParameterArena: Sendable {
    package let layout: ParameterLayout
    /// `[layout.count]`
    package let values: Vector<Float>
    /// `[layout.count]`, the values rounded, if products read them in bfloat16.
    private let rounded: Vector<BFloat16>?

    /// - Parameter precision: in which products will read the values
    package init(_ layout: ParameterLayout, for precision: Precision = .float32) {
        self.layout = layout
        values = Vector(count: layout.count)
        rounded = precision == .bfloat16 ? Vector(count: layout.count) : nil
    }

    /// Matrix `matrix` of a tensor: the tensor itself, or the `matrix`-th of this rank's experts.
    package func tensor(_ id: ParameterID, matrix: Int = 0) -> Tensor {
        let entry = layout[id]
        return Tensor(values[layout.range(of: id, matrix: matrix)], rows: entry.rows, columns: entry.columns)
    }

    /// The same as a factor of products with `other`, in its precision.
    package func operand(_ id: ParameterID, matrix: Int = 0, like other: Operand) -> Operand {
        guard case .bfloat16 = other else { return .float32(tensor(id, matrix: matrix)) }
        guard let rounded else { preconditionFailure("these parameters are not kept in bfloat16") }
        let entry = layout[id]
        return .bfloat16(
            Matrix(rounded[layout.range(of: id, matrix: matrix)], rows: entry.rows, columns: entry.columns))
    }

    /// All this rank holds of a tensor.
    package func vector(_ id: ParameterID) -> Vector<Float> { values[layout[id].range] }

    /// To be called after the values of `range` have changed and before products read them.
    package func refresh(_ range: Range<Int>) {
        guard let rounded else { return }
        round(values[range], into: rounded[range])
    }

    /// `refresh` for all values.
    package func refresh(on workers: ThreadPool) {
        workers.run(over: layout.count, tile: 1 << 16) { range in refresh(range) }
    }
}
