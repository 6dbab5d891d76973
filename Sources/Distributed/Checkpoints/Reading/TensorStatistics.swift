package import Diagnostics
import Tensors

/// What is worth knowing of a tensor at a glance.
package struct TensorStatistics: Sendable, Equatable {
    /// `√Σx²`, summed in double precision.
    package var norm = 0.0
    package var largestMagnitude = 0.0
    package var mean = 0.0
    /// Elements that are NaN or infinite; the other figures leave them out.
    package var notFinite = 0

    private var sum = 0.0
    private var squares = 0.0
    private var count = 0

    package init() {}

    mutating func add(_ values: Span<Float>) {
        for i in values.indices {
            let x = Double(values[i])
            guard x.isFinite else {
                notFinite += 1
                continue
            }
            sum += x
            squares += x * x
            largestMagnitude = max(largestMagnitude, abs(x))
            count += 1
        }
        norm = squares.squareRoot()
        mean = count == 0 ? 0 : sum / Double(count)
    }
}

extension CheckpointReader {
    /// Figures of a tensor, read in pieces of 64 MB or a row.
    package func figures(of tensor: StoredTensor) throws(Failure) -> TensorStatistics {
        var figures = TensorStatistics()
        let row = max(1, tensor.count / tensor.shape[0]), rows = max(1, (1 << 24) / row)
        for start in stride(from: 0, to: tensor.shape[0], by: rows) {
            var part = Rectangle(whole: tensor.shape)
            part.offset[0] = start
            part.shape[0] = min(rows, tensor.shape[0] - start)
            let values = try read(tensor.name, offset: part.offset, shape: part.shape)
            figures.add(values.span)
        }
        return figures
    }
}
