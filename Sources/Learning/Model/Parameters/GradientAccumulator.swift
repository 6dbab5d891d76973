import Kernels
package import Tensors
package import Threading

/// Sums every parameter's gradient over the micro-batches of a step.
///
/// In exact mode a micro-batch's gradient is made whole in scratch memory and added in fixed point, so that neither the order
/// of micro-batches nor their distribution over ranks can be seen in the sum. Otherwise products add to float sums in place.
package final class GradientAccumulator: Sendable {
    package let layout: ParameterLayout
    package let isExact: Bool
    private let limit: Float
    /// Float sums; empty in exact mode.
    private let floats: Vector<Float>
    /// Fixed-point sums; empty in default mode.
    private let fixed: Vector<Int64>
    /// One micro-batch's gradient of one tensor.
    private let scratch: Vector<Float>
    /// For every matrix of the layout, whether it has been written since `reset`.
    private let written: Vector<UInt8>
    private let firstMatrix: [Int]
    private let flags: Vector<UInt8>

    /// - Parameters:
    ///   - layout: of the parameters
    ///   - isExact: whether sums are bitwise reproducible (`reproducible`)
    ///   - microBatches: of a step, over all ranks: decides how large one micro-batch's value may be in exact mode
    package init(_ layout: ParameterLayout, isExact: Bool, microBatches: Int) {
        self.layout = layout
        self.isExact = isExact
        limit = FixedPoint.limit(microBatches: microBatches)
        floats = Vector(count: isExact ? 0 : layout.count)
        fixed = Vector(count: isExact ? layout.count : 0)
        scratch = Vector(count: isExact ? layout.entries.map(\.count).max() ?? 0 : 0)
        firstMatrix = layout.entries.reduce(into: [0]) { $0.append($0.last! + $1.matrixCount) }
        written = Vector(count: firstMatrix.last!)
        flags = Vector(count: 1)
    }

    /// Before the first micro-batch of a step.
    package func reset() {
        written.fill(with: 0)
        flags[0] = 0
    }

    /// Whether some micro-batch's gradient was too large for the sum, infinite or NaN (exact mode; float sums show it
    /// themselves).
    package var isOutOfRange: Bool { flags[0] != 0 }

    /// Adds one micro-batch's gradient of the matrices `matrices` of a tensor. `body` writes to or adds to what it is given.
    package func accumulate(
        _ id: ParameterID, matrices: Range<Int> = 0..<1, on workers: ThreadPool, _ body: (GradientTarget) -> Void
    ) {
        let entry = layout[id]
        let size = entry.rows * entry.columns
        let memory = isExact ? scratch[0..<entry.count] : floats[entry.range]
        body(GradientTarget(memory: memory, entry: entry, adding: { self.isExact ? false : self.isWritten(id, $0) }))
        for matrix in matrices {
            if isExact {
                let place = entry.offset + matrix * size
                let outside = accumulateFixed(
                    memory[matrix * size..<(matrix + 1) * size], into: fixed[place..<place + size],
                    adding: isWritten(id, matrix), limit: limit, on: workers)
                if outside { flags[0] = 1 }
            }
            written[firstMatrix[id.index] + matrix] = 1
        }
    }

    /// After the last micro-batch: matrices in `range` of the arenas that no micro-batch touched become zero, so that the sums
    /// are whole.
    package func finish(_ range: Range<Int>? = nil, on workers: ThreadPool) {
        let range = range ?? 0..<layout.count
        for id in layout.all {
            let entry = layout[id]
            guard range.contains(entry.offset) else { continue }
            let size = entry.rows * entry.columns
            for matrix in 0..<entry.matrixCount where !isWritten(id, matrix) {
                let place = entry.offset + matrix * size..<entry.offset + (matrix + 1) * size
                let (fixed, floats) = isExact ? (self.fixed[place], nil) : (nil, self.floats[place])
                workers.run(over: size, tile: 1 << 16) { range in
                    fixed?[range].fill(with: 0)
                    floats?[range].fill(with: 0)
                }
            }
        }
    }

    private func isWritten(_ id: ParameterID, _ matrix: Int) -> Bool { written[firstMatrix[id.index] + matrix] != 0 }
}

extension GradientAccumulator {
    /// The sums as they travel between ranks.
    package enum Sums {
        case floats(Vector<Float>), fixed(Vector<Int64>)

        package var bytes: Int {
            switch self {
            case .floats(let values): values.count * MemoryLayout<Float>.size
            case .fixed(let values): values.count * MemoryLayout<Int64>.size
            }
        }
    }

    package func sums(_ range: Range<Int>) -> Sums {
        isExact ? .fixed(fixed[range]) : .floats(floats[range])
    }

    /// The gradients `range` as floats: the sums themselves, or converted into `buffer` (`[≥ range.count]`).
    package func values(_ range: Range<Int>, buffer: Vector<Float>) -> Vector<Float> {
        guard isExact else { return floats[range] }
        let source = fixed[range].span
        var out = unsafe buffer[0..<range.count].unsafeMutableSpan
        for i in 0..<source.count { out[i] = FixedPoint.value(source[i]) }
        return buffer[0..<range.count]
    }

    /// The gradient of one element, for tests and inspection.
    package func value(at index: Int) -> Float { isExact ? FixedPoint.value(fixed[index]) : floats[index] }
}

/// Where a micro-batch's gradient of one tensor goes.
package struct GradientTarget {
    fileprivate let memory: Vector<Float>
    fileprivate let entry: ParameterEntry
    fileprivate let adding: (Int) -> Bool

    package func tensor(_ matrix: Int = 0) -> Tensor {
        let size = entry.rows * entry.columns
        return Tensor(memory[matrix * size..<(matrix + 1) * size], rows: entry.rows, columns: entry.columns)
    }

    /// Whether to add to what is there (or to overwrite it).
    package func isAdding(_ matrix: Int = 0) -> Bool { adding(matrix) }
}
