/// One tensor of a Hugging Face class: its name and shape, and what it holds of a model of ours.
struct ClassTensor {
    enum Contents {
        /// A parameter as it is stored.
        case whole(String)
        /// Columns of a matrix `[in, out]`, of one expert's if there are several, as `[out, in]`; of a bias `[out]`, as `[out]`.
        case transposed(String, expert: Int?, columns: Range<Int>, order: RowOrder = .asStored)
        /// Nothing: what an export writes, and what an import accepts.
        case filler(Filler, accepting: Accepted)
    }

    enum Filler {
        case constant(Float)
        case numbers([Float])
    }

    enum Accepted {
        /// - Parameter feature: what other numbers would be, for the message
        case zeros(feature: String)
        /// Any numbers but NaN and infinity, which stay what they are times zero.
        case finite
        /// The class looks at it itself.
        case checked
    }

    /// Which column of ours becomes which row.
    enum RowOrder {
        case asStored
        /// For positions that turn neighbors (2i, 2i + 1) of a head, where ours turn (i, i + size/2).
        case interleavedRotary(headSize: Int)
        /// The last column again and again, up to so many rows.
        case padded(rows: Int)

        /// Our column for each row of the tensor.
        func columns(_ columns: Range<Int>) -> [Int] {
            switch self {
            case .asStored: return Array(columns)
            case .padded(let rows): return (0..<rows).map { columns.lowerBound + min($0, columns.count - 1) }
            case .interleavedRotary(let size):
                return columns.indices.map { row in
                    let place = (row - columns.lowerBound) % size
                    return row - place + place / 2 + place % 2 * (size / 2)
                }
            }
        }

        /// The tensor's row for each of our columns, the first where there are several.
        func rows(_ columns: Range<Int>) -> [Int] {
            var rows = [Int](repeating: -1, count: columns.count)
            for (row, column) in self.columns(columns).enumerated() where rows[column - columns.lowerBound] < 0 {
                rows[column - columns.lowerBound] = row
            }
            return rows
        }
    }

    var entry: SafetensorsEntry
    var contents: Contents

    init(_ name: String, _ shape: [Int], _ contents: Contents) {
        entry = SafetensorsEntry(name: name, shape: shape)
        self.contents = contents
    }
}
