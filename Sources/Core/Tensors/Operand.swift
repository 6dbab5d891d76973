/// In which numbers matrix products take their factors. Sums are always taken in float32.
package enum Precision: String, CaseIterable, Codable, Sendable {
    case float32, bfloat16

    /// Bytes of one element.
    package var size: Int { self == .float32 ? 4 : 2 }
}

/// A matrix that goes into or comes out of matrix products, in the precision of the model: `[rows, columns]`.
package enum Operand: Sendable {
    case float32(Matrix<Float>)
    case bfloat16(Matrix<BFloat16>)

    /// New memory: zeros.
    package init(_ precision: Precision, rows: Int, columns: Int) {
        switch precision {
        case .float32: self = .float32(Matrix(rows: rows, columns: columns))
        case .bfloat16: self = .bfloat16(Matrix(rows: rows, columns: columns))
        }
    }

    package var precision: Precision {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }

    package var rows: Int {
        switch self {
        case .float32(let matrix): matrix.rows
        case .bfloat16(let matrix): matrix.rows
        }
    }

    package var columns: Int {
        switch self {
        case .float32(let matrix): matrix.columns
        case .bfloat16(let matrix): matrix.columns
        }
    }

    /// The matrix of an operand that is known to be in float32.
    package var tensor: Tensor {
        guard case .float32(let matrix) = self else { preconditionFailure("not in float32") }
        return matrix
    }

    /// Rows `range`, all columns.
    package func rows(_ range: Range<Int>) -> Operand {
        switch self {
        case .float32(let matrix): .float32(matrix.rows(range))
        case .bfloat16(let matrix): .bfloat16(matrix.rows(range))
        }
    }

    /// Columns `range`, all rows.
    package func columns(_ range: Range<Int>) -> Operand {
        switch self {
        case .float32(let matrix): .float32(matrix.columns(range))
        case .bfloat16(let matrix): .bfloat16(matrix.columns(range))
        }
    }

    /// The first `rows` rows and `columns` columns' worth of this memory as a matrix of another shape.
    package func reshaped(rows: Int, columns: Int) -> Operand {
        switch self {
        case .float32(let matrix): .float32(matrix.reshaped(rows: rows, columns: columns))
        case .bfloat16(let matrix): .bfloat16(matrix.reshaped(rows: rows, columns: columns))
        }
    }
}
