/// A small symmetric matrix, row-major: what is left of a fit around its optimum.
struct SymmetricMatrix: Sendable {
    let size: Int
    private(set) var elements: [Double]

    init(size: Int) {
        self.size = size
        elements = Array(repeating: 0, count: size * size)
    }

    subscript(row: Int, column: Int) -> Double {
        get { elements[row * size + column] }
        set { elements[row * size + column] = newValue }
    }

    /// `A ← A + w·v·vᵀ`
    mutating func add(_ weight: Double, outer v: [Double]) {
        for i in 0..<size where v[i] != 0 {
            let scaled = weight * v[i]
            for j in 0..<size { elements[i * size + j].addProduct(scaled, v[j]) }
        }
    }

    /// `S⁻¹·A·S⁻¹` and S, the square roots of A's diagonal but no less than `floor` (1 for a zero row): ones on the diagonal.
    func scaled(floor: Double = 0) -> (matrix: SymmetricMatrix, scale: [Double]) {
        let scale = (0..<size).map { i in
            let root = max(self[i, i].squareRoot(), floor)
            return root > 0 ? root : 1
        }
        var matrix = self
        for i in 0..<size {
            for j in 0..<size { matrix[i, j] = self[i, j] / (scale[i] * scale[j]) }
        }
        return (matrix, scale)
    }

    /// Lower L with `L·Lᵀ = A + damping·I`; nil if that is not positive definite.
    func cholesky(damping: Double) -> LowerTriangle? {
        var lower = LowerTriangle(size: size)
        for i in 0..<size {
            for j in 0...i {
                var sum = self[i, j] + (i == j ? damping : 0)
                for k in 0..<j { sum -= lower[i, k] * lower[j, k] }
                if i == j {
                    guard sum > 0, sum.isFinite else { return nil }
                    lower[i, i] = sum.squareRoot()
                } else {
                    lower[i, j] = sum / lower[j, j]
                }
            }
        }
        return lower
    }

    /// Eigenvalues, ascending, and unit eigenvectors, by Jacobi's rotations (Golub & Van Loan, section 8.5).
    func eigen() -> [(value: Double, vector: [Double])] {
        var a = self
        var vectors = SymmetricMatrix(size: size)
        for i in 0..<size { vectors[i, i] = 1 }
        for _ in 0..<60 {
            var outside = 0.0
            for p in 0..<size {
                for q in 0..<size where q != p { outside += a[p, q] * a[p, q] }
            }
            if outside < 1e-300 { break }
            for p in 0..<size {
                for q in p + 1..<max(size, p + 1) where a[p, q] != 0 { a.rotate(p, q, &vectors) }
            }
        }
        return (0..<size).map { i in (a[i, i], (0..<size).map { vectors[$0, i] }) }.sorted { $0.0 < $1.0 }
    }

    /// The rotation in the plane (p, q) that makes `A[p, q]` zero.
    private mutating func rotate(_ p: Int, _ q: Int, _ vectors: inout SymmetricMatrix) {
        let theta = (self[q, q] - self[p, p]) / (2 * self[p, q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot(), s = t * c
        for k in 0..<size {
            (self[k, p], self[k, q]) = (c * self[k, p] - s * self[k, q], s * self[k, p] + c * self[k, q])
        }
        for k in 0..<size {
            (self[p, k], self[q, k]) = (c * self[p, k] - s * self[q, k], s * self[p, k] + c * self[q, k])
            (vectors[k, p], vectors[k, q]) = (
                c * vectors[k, p] - s * vectors[k, q], s * vectors[k, p] + c * vectors[k, q]
            )
        }
    }
}

/// A lower triangular matrix, row-major.
struct LowerTriangle: Sendable {
    let size: Int
    private var elements: [Double]

    init(size: Int) {
        self.size = size
        elements = Array(repeating: 0, count: size * size)
    }

    subscript(row: Int, column: Int) -> Double {
        get { elements[row * size + column] }
        set { elements[row * size + column] = newValue }
    }

    /// `(L·Lᵀ)⁻¹·x`
    func solve(_ x: [Double]) -> [Double] {
        var x = x
        for i in x.indices {
            for k in 0..<i { x[i] -= self[i, k] * x[k] }
            x[i] /= self[i, i]
        }
        for i in x.indices.reversed() {
            for k in i + 1..<max(size, i + 1) { x[i] -= self[k, i] * x[k] }
            x[i] /= self[i, i]
        }
        return x
    }
}
