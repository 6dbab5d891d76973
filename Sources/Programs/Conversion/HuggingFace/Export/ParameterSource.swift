import Checkpoints
import Diagnostics
import Tensors

/// The numbers of an export's tensors, read from a checkpoint piece by piece.
///
/// Memory: one matrix (one expert's, where there are several) and its transpose.
final class ParameterSource {
    private let reader: CheckpointReader
    /// The matrix read last: gate and up projection are the two halves of one.
    private var last: (name: String, expert: Int?, matrix: Matrix)?

    private typealias Matrix = (values: Vector<Float>, rows: Int, columns: Int)
    /// Elements of one piece of what is copied as it is.
    private static let piece = 1 << 22

    init(_ reader: CheckpointReader) { self.reader = reader }

    /// Calls `body` with the tensor's numbers in order.
    func read(_ tensor: ClassTensor, _ body: (Vector<Float>) throws(Failure) -> Void) throws(Failure) {
        switch tensor.contents {
        case .whole(let name):
            try readWhole("parameters/\(name)", tensor.entry.shape, body)
        case .filler(.numbers(let values), _): try body(Vector(values))
        case .filler(.constant(let value), _):
            let values = Vector<Float>(count: tensor.entry.count)
            values.fill(with: value)
            try body(values)
        case .transposed(let name, let expert, let columns, let order):
            let matrix = try matrix("parameters/\(name)", expert)
            let target = Vector<Float>(count: tensor.entry.count)
            transpose(
                matrix.values, rows: matrix.rows, rowLength: matrix.columns, columns: order.columns(columns),
                into: target)
            try body(target)
        }
    }

    private func readWhole(
        _ name: String, _ shape: [Int], _ body: (Vector<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        let rowLength = shape.dropFirst().reduce(1, *), step = max(1, Self.piece / rowLength)
        let rest = Array(shape.dropFirst())
        for start in stride(from: 0, to: shape[0], by: step) {
            let rows = min(step, shape[0] - start)
            try body(try reader.readFinite(name, offset: [start] + rest.map { _ in 0 }, shape: [rows] + rest))
        }
    }

    private func matrix(_ name: String, _ expert: Int?) throws(Failure) -> Matrix {
        if let last, last.name == name, last.expert == expert { return last.matrix }
        last = nil
        let shape = try reader.tensor(name).shape
        let (rows, columns) = (shape.count > 1 ? shape[shape.count - 2] : 1, shape[shape.count - 1])
        let values = try reader.readFinite(
            name, offset: (expert.map { [$0] } ?? []) + shape.suffix(2).map { _ in 0 },
            shape: (expert == nil ? [] : [1]) + shape.suffix(2))
        last = (name, expert, (values, rows, columns))
        return (values, rows, columns)
    }
}

/// `target[c, r] = source[r, columns[c]]`, in tiles that stay in the cache.
/// - Parameters:
///   - source: `[rows, rowLength]`
///   - target: `[columns.count, rows]`
func transpose(
    _ source: Vector<Float>, rows: Int, rowLength: Int, columns: [Int], into target: Vector<Float>
) {
    precondition(source.count == rows * rowLength && target.count == rows * columns.count)
    let from = source.span
    var to = unsafe target.unsafeMutableSpan
    let tile = 32
    for r in stride(from: 0, to: rows, by: tile) {
        for c in stride(from: 0, to: columns.count, by: tile) {
            for column in c..<min(c + tile, columns.count) {
                let place = columns[column]
                for row in r..<min(r + tile, rows) {
                    to[column * rows + row] = from[row * rowLength + place]
                }
            }
        }
    }
}
