import MatrixProducts
import Randomness
import Tensors
import TestSupport

/// A matrix of doubles: the oracles' side of a comparison.
struct Doubles {
    let rows: Int
    let columns: Int
    var values: [Double]

    init(rows: Int, columns: Int, _ value: (Int, Int) -> Double = { _, _ in 0 }) {
        self.rows = rows
        self.columns = columns
        values = (0..<rows * columns).map { value($0 / columns, $0 % columns) }
    }

    init(_ tensor: Tensor) {
        self.init(rows: tensor.rows, columns: tensor.columns) { Double(tensor[$0, $1]) }
    }

    init(_ operand: Operand) { self.init(operand.floats) }

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    func row(_ index: Int) -> [Double] { Array(values[index * columns..<(index + 1) * columns]) }

    /// Puts a block's upper left corner at a row and a column.
    mutating func set(_ block: Doubles, atRow row: Int, _ column: Int) {
        for r in 0..<block.rows {
            for c in 0..<block.columns { self[row + r, column + c] = block[r, c] }
        }
    }

    mutating func add(_ block: Doubles, atRow row: Int, _ column: Int) {
        for r in 0..<block.rows {
            for c in 0..<block.columns { self[row + r, column + c] += block[r, c] }
        }
    }

    var transposed: Doubles { Doubles(rows: columns, columns: rows) { self[$1, $0] } }

    static func + (a: Doubles, b: Doubles) -> Doubles {
        Doubles(rows: a.rows, columns: a.columns) { a[$0, $1] + b[$0, $1] }
    }

    static func * (a: Doubles, b: Doubles) -> Doubles {
        precondition(a.columns == b.rows)
        var c = Doubles(rows: a.rows, columns: b.columns)
        for i in 0..<a.rows {
            for k in 0..<a.columns {
                let factor = a[i, k]
                for j in 0..<b.columns { c[i, j] += factor * b[k, j] }
            }
        }
        return c
    }

    /// The largest magnitude, or 1 where there is none.
    var scale: Double {
        let largest = values.reduce(0) { max($0, abs($1)) }
        return largest > 0 ? largest : 1
    }

    var magnitudes: Doubles { Doubles(rows: rows, columns: columns) { abs(self[$0, $1]) } }

    static func * (factor: Double, a: Doubles) -> Doubles {
        Doubles(rows: a.rows, columns: a.columns) { factor * a[$0, $1] }
    }

    /// The largest share that a difference has of its bound: `share` of the largest magnitude of `self`, and what
    /// `allowance` says of the element.
    func deviation(of found: Tensor, within share: Double, allowance: Doubles?) -> Double {
        precondition(found.rows == rows && found.columns == columns)
        let common = share * scale
        var largest = LargestDeviation()
        for r in 0..<rows {
            for c in 0..<columns {
                let difference = abs(Double(found[r, c]) - self[r, c])
                let bound = common + (allowance?[r, c] ?? 0)
                largest.add(difference == 0 ? 0 : difference / bound)
            }
        }
        return largest.value
    }
}

/// Uniform numbers in (−scale, scale), a function of the shape's elements and the seed.
func random(_ rows: Int, _ columns: Int, seed: UInt64, scale: Double = 1) -> Tensor {
    let draw = RandomFunction(seed: seed, purpose: .tests)
    let tensor = Tensor(rows: rows, columns: columns)
    for r in 0..<rows {
        for c in 0..<columns {
            tensor[r, c] = Float(scale * (2 * draw.uniform(UInt64(r * columns + c)) - 1))
        }
    }
    return tensor
}

/// The precisions that this build computes in.
let precisions = Precision.allCases.filter { ProductLibrary.supports($0) }

extension Precision {
    /// Half a unit in the last place, relative to a number: what rounding to this precision moves it by at most. Results
    /// in float32 are compared by their accumulated error alone.
    var halfUnit: Double { self == .float32 ? 0 : 0x1p-8 }
}

/// Other memory with the same numbers, rounded to a precision.
func rounded(_ tensor: Tensor, to precision: Precision) -> Operand {
    guard precision == .bfloat16 else { return .float32(copy(of: tensor)) }
    let result = Matrix<BFloat16>(rows: tensor.rows, columns: tensor.columns)
    for r in 0..<tensor.rows {
        for c in 0..<tensor.columns { result[r, c] = BFloat16(rounding: tensor[r, c]) }
    }
    return .bfloat16(result)
}

extension Operand {
    /// Other memory with the same numbers, which every float can hold.
    var floats: Tensor {
        switch self {
        case .float32(let matrix): copy(of: matrix)
        case .bfloat16(let matrix): copy(of: matrix)
        }
    }
}

/// Whole numbers in `0..<bound`.
func randomIndices(_ count: Int, below bound: Int, seed: UInt64) -> Vector<Int32> {
    let draw = RandomFunction(seed: seed, purpose: .tests, stream: 1)
    return Vector((0..<count).map { Int32(draw.integer(UInt64($0), below: UInt64(bound))) })
}

/// Other memory with the same numbers.
func copy<Element: MatrixElement>(of matrix: Matrix<Element>) -> Tensor {
    let result = Tensor(rows: matrix.rows, columns: matrix.columns)
    for r in 0..<matrix.rows {
        for c in 0..<matrix.columns { result[r, c] = matrix[r, c].float }
    }
    return result
}

/// A vector as a matrix of one row, to compare it.
func asRow(_ vector: Vector<Float>) -> Tensor { Tensor(vector, rows: 1, columns: vector.count) }

/// `∂f/∂x_i` of a function of doubles by central differences: with steps of 1e-5 right to about 1e-9 for functions of
/// order 1, which no float32 kernel can tell from the truth.
func slope(_ x: [Double], _ i: Int, _ f: ([Double]) -> Double) -> Double {
    let h = 1e-5
    var moved = x
    moved[i] = x[i] + h
    let above = f(moved)
    moved[i] = x[i] - h
    return (above - f(moved)) / (2 * h)
}

func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
