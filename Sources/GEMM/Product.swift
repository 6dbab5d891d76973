import COpenBLAS
package import Tensors

/// A matrix as a factor of a product: as it stands, or transposed without being moved.
package struct Factor: Sendable {
    package let tensor: Tensor
    package let isTransposed: Bool

    package init(_ tensor: Tensor, isTransposed: Bool = false) {
        self.tensor = tensor
        self.isTransposed = isTransposed
    }

    package var rows: Int { isTransposed ? tensor.columns : tensor.rows }
    package var columns: Int { isTransposed ? tensor.rows : tensor.columns }

    /// Rows `range` of the factor.
    package func rows(_ range: Range<Int>) -> Factor {
        Factor(isTransposed ? tensor.columns(range) : tensor.rows(range), isTransposed: isTransposed)
    }

    /// Columns `range` of the factor.
    package func columns(_ range: Range<Int>) -> Factor {
        Factor(isTransposed ? tensor.rows(range) : tensor.columns(range), isTransposed: isTransposed)
    }
}

extension Tensor {
    /// The transpose, as a factor.
    package var transposed: Factor { Factor(self, isTransposed: true) }
    /// The matrix itself, as a factor.
    package var factor: Factor { Factor(self) }
}

/// `C ← scale · A·B`, or `C ← C + scale · A·B` if `adding`, on the calling thread alone (`cblas_sgemm`).
///
/// The bits of the result depend on the shapes and strides' order (transposed or not), never on addresses; which
/// shapes are used is therefore the callers' care.
/// - Parameters:
///   - a: `[m, k]`
///   - b: `[k, n]`
///   - c: `[m, n]`
package func multiply(_ a: Factor, _ b: Factor, into c: Tensor, scale: Float = 1, adding: Bool = false) {
    precondition(a.columns == b.rows && a.rows == c.rows && b.columns == c.columns, "shapes do not fit")
    guard c.rows > 0, c.columns > 0 else { return }
    unsafe cblas_sgemm(
        CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
        Int32(c.rows), Int32(c.columns), Int32(a.columns),
        scale, a.tensor.pointer, Int32(max(a.tensor.stride, 1)), b.tensor.pointer, Int32(max(b.tensor.stride, 1)),
        adding ? 1 : 0, c.pointer, Int32(c.stride))
}
