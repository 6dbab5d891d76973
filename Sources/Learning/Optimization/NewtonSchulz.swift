import Kernels
import MatrixProducts
import Platform
package import Tensors
package import Threading

/// A matrix to orthogonalize, and memory to do it in. Matrices may be windows of larger ones.
package struct Orthogonalization: Sendable {
    /// `[rows, columns]`; overwritten.
    package let matrix: Tensor
    /// `[rows, columns]`, the result.
    package let result: Tensor
    /// `[n, n]` each, with n the smaller extent.
    private let gram: Tensor
    private let polynomial: Tensor

    /// Numbers of scratch memory for a matrix `[rows, columns]`.
    package static func scratchCount(rows: Int, columns: Int) -> Int { 2 * min(rows, columns) * min(rows, columns) }

    /// - Parameters:
    ///   - matrix: `[rows, columns]`
    ///   - result: of the same shape, elsewhere
    ///   - scratch: `[scratchCount]`, for this matrix alone
    package init(of matrix: Tensor, into result: Tensor, scratch: Vector<Float>) {
        precondition(matrix.rows == result.rows && matrix.columns == result.columns, "shapes do not fit")
        let n = min(matrix.rows, matrix.columns)
        (self.matrix, self.result) = (matrix, result)
        gram = Tensor(scratch[0..<n * n], rows: n, columns: n)
        polynomial = Tensor(scratch[n * n..<2 * n * n], rows: n, columns: n)
    }
}

/// Brings the singular values of matrices near 1 and leaves their singular vectors: five iterations
/// `X ← (aI + bXXᵀ + c(XXᵀ)²)·X` from `X = M / (‖M‖_F + ε)`, in float32; where there are more rows than columns,
/// `X ← X·(aI + bXᵀX + c(XᵀX)²)`, which is the same of the transpose.
///
/// Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024): the coefficients, and ε. Singular values of
/// 0.002 ‖M‖_F and more come to lie between 0.68 and 1.21. A zero matrix stays zero.
///
/// The bits of a result are a function of its matrix alone, not of the others or of the number of threads.
package func orthogonalize(_ jobs: [Orthogonalization], on pool: ThreadPool) {
    pool.run(jobs.count) { _, index in jobs[index].normalize() }
    for iteration in 0..<iterations {
        multiply(jobs.map { $0.gramProduct(iteration) }, on: pool)
        multiply(jobs.map(\.polynomialProduct), on: pool)
        multiply(jobs.map { $0.imageProduct(iteration) }, on: pool)
    }
}

/// Odd, so that the last one writes to `result`.
private let iterations = 5
private let coefficients: (a: Float, b: Float, c: Float) = (3.4445, -4.7750, 2.0315)
private let epsilon = 1e-7

extension Orthogonalization {
    /// `M ← M / (‖M‖_F + ε)`, with the norm in double precision.
    fileprivate func normalize() {
        let squares = (0..<matrix.rows).reduce(0.0) { $0 + sumOfSquares(matrix.row($1)) }
        let scale = Float(1 / (squares.squareRoot() + epsilon))
        for r in 0..<matrix.rows {
            var row = unsafe matrix.unsafeMutableRow(r)
            for i in row.indices { row[i] *= scale }
        }
    }

    private var isWide: Bool { matrix.rows <= matrix.columns }

    /// The iterations alternate between the two.
    private func source(_ iteration: Int) -> Tensor { iteration % 2 == 0 ? matrix : result }

    /// `XXᵀ`, or `XᵀX` of a tall matrix.
    fileprivate func gramProduct(_ iteration: Int) -> ProductJob {
        let x = source(iteration)
        return isWide
            ? ProductJob(x.factor, x.transposed, into: .float32(gram))
            : ProductJob(x.transposed, x.factor, into: .float32(gram))
    }

    /// `aI + bG + cG²`
    fileprivate var polynomialProduct: ProductJob {
        let (gram, polynomial) = (gram, polynomial), (a, b, c) = coefficients
        return ProductJob(gram.factor, gram.factor, into: .float32(polynomial)) { rows in
            for r in rows {
                let g = gram.row(r)
                var p = unsafe polynomial.unsafeMutableRow(r)
                for i in p.indices { p[i] = b * g[i] + c * p[i] }
                p[r] += a
            }
        }
    }

    fileprivate func imageProduct(_ iteration: Int) -> ProductJob {
        let x = source(iteration), next = source(iteration + 1)
        return isWide
            ? ProductJob(polynomial.factor, x.factor, into: .float32(next))
            : ProductJob(x.factor, polynomial.factor, into: .float32(next))
    }
}
