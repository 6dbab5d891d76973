import Tensors

/// A matrix in double precision, with plain loops.
struct Doubles {
    let rows: Int
    let columns: Int
    private(set) var numbers: [Double]

    init(_ rows: Int, _ columns: Int, _ value: (_ row: Int, _ column: Int) -> Double) {
        (self.rows, self.columns) = (rows, columns)
        numbers = (0..<rows * columns).map { value($0 / columns, $0 % columns) }
    }

    init(_ tensor: Tensor) { self.init(tensor.rows, tensor.columns) { Double(tensor[$0, $1]) } }

    subscript(row: Int, column: Int) -> Double { numbers[row * columns + column] }

    var transposed: Doubles { Doubles(columns, rows) { self[$1, $0] } }

    func scaled(by factor: Double) -> Doubles { Doubles(rows, columns) { factor * self[$0, $1] } }

    func scalingColumns(by factors: [Double]) -> Doubles { Doubles(rows, columns) { factors[$1] * self[$0, $1] } }

    static func + (a: Doubles, b: Doubles) -> Doubles { Doubles(a.rows, a.columns) { a[$0, $1] + b[$0, $1] } }

    static func * (a: Doubles, b: Doubles) -> Doubles {
        var sums = Doubles(a.rows, b.columns) { _, _ in 0 }
        for i in 0..<a.rows {
            for k in 0..<a.columns {
                let factor = a[i, k]
                for j in 0..<b.columns { sums.numbers[i * b.columns + j] += factor * b[k, j] }
            }
        }
        return sums
    }

    /// Its columns by Gram and Schmidt, twice, because once loses digits.
    var orthonormalized: Doubles {
        var result = self
        for j in 0..<columns {
            for k in Array(0..<j) + Array(0..<j) {
                let along = (0..<rows).reduce(0.0) { $0 + result[$1, j] * result[$1, k] }
                for i in 0..<rows { result.numbers[i * columns + j] -= along * result[i, k] }
            }
            let norm = (0..<rows).reduce(0.0) { $0 + result[$1, j] * result[$1, j] }.squareRoot()
            for i in 0..<rows { result.numbers[i * columns + j] /= norm }
        }
        return result
    }
}

extension Matrix<Float> {
    /// `matrix`, with two columns of `margin` on its left and one on its right.
    init(_ matrix: Doubles, margin: Float) {
        self.init(rows: matrix.rows, columns: matrix.columns + 3)
        for r in 0..<rows {
            for c in 0..<columns {
                let isInside = (2..<2 + matrix.columns).contains(c)
                self[r, c] = isInside ? Float(matrix[r, c - 2]) : margin
            }
        }
    }
}
