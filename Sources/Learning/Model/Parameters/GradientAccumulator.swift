import Kernels
package import Tensors
package import Threading

/// Sums every parameter's gradient over the lanes of a step.
///
/// In exact mode a lane's gradient is made whole in scratch memory and added in fixed point, so that neither the order
/// of lanes nor their distribution over ranks can be seen in the sum. Otherwise products add to float sums in place.
package final class GradientAccumulator: Sendable {
    package let layout: ParameterLayout
    package let isExact: Bool
    private let limit: Float
    /// Float sums; empty in exact mode.
    private let floats: Vector<Float>
    /// Fixed-point sums; empty in default mode.
    private let fixed: Vector<Int64>
    /// One lane's gradient of one tensor.
    private let scratch: Vector<Float>
    /// For every matrix of the layout, whether it has been written since `reset`.
    private let written: Vector<UInt8>
    private let firstSlab: [Int]
    private let flags: Vector<UInt8>

    /// - Parameter lanes: of a step, over all ranks: decides how large one lane's value may be in exact mode
    package init(_ layout: ParameterLayout, isExact: Bool, lanes: Int) {
        self.layout = layout
        self.isExact = isExact
        limit = FixedPoint.limit(lanes: lanes)
        floats = Vector(count: isExact ? 0 : layout.count)
        fixed = Vector(count: isExact ? layout.count : 0)
        scratch = Vector(count: isExact ? layout.entries.map(\.count).max() ?? 0 : 0)
        firstSlab = layout.entries.reduce(into: [0]) { $0.append($0.last! + $1.slabs) }
        written = Vector(count: firstSlab.last!)
        flags = Vector(count: 1)
    }

    /// Before the first lane of a step.
    package func reset() {
        for i in 0..<written.count { written[i] = 0 }
        flags[0] = 0
    }

    /// Whether some lane's gradient was too large for the sum, infinite or NaN (exact mode; float sums show it themselves).
    package var isOutOfRange: Bool { flags[0] != 0 }

    /// Adds one lane's gradient of the matrices `slabs` of a tensor. `body` writes to or adds to what it is given.
    package func accumulate(
        _ id: ParameterID, slabs: Range<Int> = 0..<1, on workers: Workers, _ body: (GradientTarget) -> Void
    ) {
        let entry = layout[id]
        let size = entry.rows * entry.columns
        let memory = isExact ? scratch[0..<entry.count] : floats[entry.range]
        body(GradientTarget(memory: memory, entry: entry, adding: { self.isExact ? false : self.isWritten(id, $0) }))
        for slab in slabs {
            if isExact {
                let place = entry.offset + slab * size
                let outside = accumulateFixed(
                    memory[slab * size..<(slab + 1) * size], into: fixed[place..<place + size],
                    adding: isWritten(id, slab), limit: limit, on: workers)
                if outside { flags[0] = 1 }
            }
            written[firstSlab[id.index] + slab] = 1
        }
    }

    /// After the last lane: matrices in `stretch` of the arenas that no lane touched become zero, so that the sums are whole.
    package func finish(_ stretch: Range<Int>? = nil, on workers: Workers) {
        let stretch = stretch ?? 0..<layout.count
        for id in layout.all {
            let entry = layout[id]
            guard stretch.contains(entry.offset) else { continue }
            let size = entry.rows * entry.columns
            for slab in 0..<entry.slabs where !isWritten(id, slab) {
                let start = entry.offset + slab * size
                workers.run(over: size, tile: 1 << 16) { range in
                    for i in range {
                        if self.isExact { self.fixed[start + i] = 0 } else { self.floats[start + i] = 0 }
                    }
                }
            }
        }
    }

    private func isWritten(_ id: ParameterID, _ slab: Int) -> Bool { written[firstSlab[id.index] + slab] != 0 }
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
        var out = buffer[0..<range.count].mutableSpan
        for i in 0..<source.count { out[i] = FixedPoint.value(source[i]) }
        return buffer[0..<range.count]
    }

    /// The gradient of one element, for tests and inspection.
    package func value(at index: Int) -> Float { isExact ? FixedPoint.value(fixed[index]) : floats[index] }
}

/// Where a lane's gradient of one tensor goes.
package struct GradientTarget {
    fileprivate let memory: Vector<Float>
    fileprivate let entry: ParameterEntry
    fileprivate let adding: (Int) -> Bool

    package func tensor(_ slab: Int = 0) -> Tensor {
        let size = entry.rows * entry.columns
        return Tensor(memory[slab * size..<(slab + 1) * size], rows: entry.rows, columns: entry.columns)
    }

    /// Whether to add to what is there (or to overwrite it).
    package func isAdding(_ slab: Int = 0) -> Bool { adding(slab) }
}
