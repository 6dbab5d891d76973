import COpenBLAS
package import Tensors

/// A matrix as a factor of a product: as it stands, or transposed without being moved.
package struct Factor: Sendable {
    package let operand: Operand
    package let isTransposed: Bool

    package init(_ operand: Operand, isTransposed: Bool = false) {
        self.operand = operand
        self.isTransposed = isTransposed
    }

    package var rows: Int { isTransposed ? operand.columns : operand.rows }
    package var columns: Int { isTransposed ? operand.rows : operand.columns }

    /// Rows `range` of the factor.
    package func rows(_ range: Range<Int>) -> Factor {
        Factor(isTransposed ? operand.columns(range) : operand.rows(range), isTransposed: isTransposed)
    }

    /// Columns `range` of the factor.
    package func columns(_ range: Range<Int>) -> Factor {
        Factor(isTransposed ? operand.rows(range) : operand.columns(range), isTransposed: isTransposed)
    }
}

extension Operand {
    /// The transpose, as a factor.
    package var transposed: Factor { Factor(self, isTransposed: true) }
    /// The matrix itself, as a factor.
    package var factor: Factor { Factor(self) }
}

extension Matrix<Float> {
    /// The transpose, as a factor.
    package var transposed: Factor { Factor(.float32(self), isTransposed: true) }
    /// The matrix itself, as a factor.
    package var factor: Factor { Factor(.float32(self)) }
}

/// `C ← A·B`, or `C ← C + A·B` if `adding`, on the calling thread alone; sums are taken in float32.
///
/// The bits of the result depend on the shapes and strides' order (transposed or not), never on addresses; which
/// shapes are used is therefore the callers' care.
/// - Parameters:
///   - a: `[m, k]`
///   - b: `[k, n]`, of the same precision
///   - c: `[m, n]`; float32, or of the factors' precision
package func multiply(_ a: Factor, _ b: Factor, into c: Operand, adding: Bool = false) {
    precondition(a.columns == b.rows && a.rows == c.rows && b.columns == c.columns, "shapes do not fit")
    guard c.rows > 0, c.columns > 0 else { return }
    guard a.columns > 0 else { return adding ? () : clear(c) }
    switch (a.operand, b.operand, c) {
    case (.float32(let left), .float32(let right), .float32(let product)):
        if ProductLibrary.float32 == .oneDNN {
            OneDNN.multiply(left, a.isTransposed, right, b.isTransposed, into: product, adding: adding)
        } else {
            sgemm(left, a.isTransposed, right, b.isTransposed, into: product, adding: adding)
        }
    case (.bfloat16(let left), .bfloat16(let right), .float32(let product)):
        OneDNN.multiply(left, a.isTransposed, right, b.isTransposed, into: product, adding: adding)
    case (.bfloat16(let left), .bfloat16(let right), .bfloat16(let product)):
        OneDNN.multiply(left, a.isTransposed, right, b.isTransposed, into: product, adding: adding)
    default:
        preconditionFailure("factors of different precisions")
    }
}

/// `C`: C function `cblas_sgemm`.
private func sgemm(
    _ a: Tensor, _ transposeA: Bool, _ b: Tensor, _ transposeB: Bool, into c: Tensor, adding: Bool
) {
    _ = ProductLibrary.openBLASWithoutThreads
    unsafe cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
        Int32(c.rows), Int32(c.columns), Int32(transposeA ? a.rows : a.columns),
        1, a.pointer, Int32(max(a.stride, 1)), b.pointer, Int32(max(b.stride, 1)),
        adding ? 1 : 0, c.pointer, Int32(c.stride))
}

/// A sum over nothing.
private func clear(_ c: Operand) {
    switch c {
    case .float32(let c): c.fill(with: 0)
    case .bfloat16(let c): c.fill(with: BFloat16(rounding: 0))
    }
}
