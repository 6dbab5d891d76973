/// A part of a tensor that is a rectangle: along axis `d` it covers `offset[d] ..< offset[d] + shape[d]`.
package struct Rectangle: Sendable, Equatable {
    package var offset: [Int]
    package var shape: [Int]

    package init(offset: [Int], shape: [Int]) {
        self.offset = offset
        self.shape = shape
    }

    /// All of a tensor.
    package init(whole shape: [Int]) { self.init(offset: shape.map { _ in 0 }, shape: shape) }

    package var count: Int { shape.reduce(1, *) }

    package func isContained(in tensor: [Int]) -> Bool {
        offset.count == tensor.count && shape.count == tensor.count
            && tensor.indices.allSatisfy {
                offset[$0] >= 0 && shape[$0] >= 0 && offset[$0] <= tensor[$0] && shape[$0] <= tensor[$0] - offset[$0]
            }
    }

    /// The consecutive elements `run` of a tensor, row-major, as rectangles, in order: at most 2·axes − 1 of them.
    package static func covering(_ run: Range<Int>, of tensor: [Int]) -> [Rectangle] {
        guard !run.isEmpty else { return [] }
        let row = tensor.dropFirst().reduce(1, *)
        let first = run.lowerBound / row, last = (run.upperBound - 1) / row
        let isWhole = run.lowerBound % row == 0 && run.upperBound % row == 0
        if isWhole {
            return [
                Rectangle(
                    offset: [first] + tensor.dropFirst().map { _ in 0 }, shape: [last - first + 1] + tensor.dropFirst())
            ]
        }
        if first == last {
            let within = covering(
                run.lowerBound - first * row..<run.upperBound - first * row, of: Array(tensor.dropFirst()))
            return within.map { Rectangle(offset: [first] + $0.offset, shape: [1] + $0.shape) }
        }
        // What is left of the first row, whole rows, what there is of the last.
        let start = (run.lowerBound + row - 1) / row * row, end = run.upperBound / row * row
        return covering(run.lowerBound..<start, of: tensor) + covering(start..<max(start, end), of: tensor)
            + covering(max(start, end)..<run.upperBound, of: tensor)
    }

    /// What both cover; nil if nothing.
    package func intersection(_ other: Rectangle) -> Rectangle? {
        let start = offset.indices.map { max(offset[$0], other.offset[$0]) }
        let end = offset.indices.map { min(offset[$0] + shape[$0], other.offset[$0] + other.shape[$0]) }
        guard zip(start, end).allSatisfy({ $0 < $1 }) else { return nil }
        return Rectangle(offset: start, shape: zip(start, end).map { $1 - $0 })
    }

    package func contains(_ other: Rectangle) -> Bool { other.count == 0 || intersection(other) == other }

    /// The smallest rectangle that covers all of `parts`, which must not be empty.
    package static func around(_ parts: [Rectangle]) -> Rectangle {
        let axes = parts[0].offset.indices
        let start = axes.map { d in parts.map { $0.offset[d] }.min() ?? 0 }
        let end = axes.map { d in parts.map { $0.offset[d] + $0.shape[d] }.max() ?? 0 }
        return Rectangle(offset: start, shape: zip(start, end).map { $1 - $0 })
    }

    /// Whether `parts` make up a tensor of `shape`: every element lies in exactly one.
    ///
    /// The sum of the parts' indicator functions is that of the tensor if and only if their mixed differences agree, and the
    /// mixed difference of a rectangle is ±1 at its 2^axes corners and 0 elsewhere. Complexity: O(parts).
    package static func tile(_ parts: [Rectangle], _ shape: [Int]) -> Bool {
        guard shape.count <= 4, parts.allSatisfy({ $0.isContained(in: shape) }) else { return false }
        // Along the other axes all parts reach from end to end.
        let cut = shape.indices.filter { axis in
            parts.contains { $0.offset[axis] != 0 || $0.shape[axis] != shape[axis] }
        }
        var corners: [SIMD4<Int>: Int] = [:]
        func add(_ part: Rectangle, _ weight: Int) {
            guard part.shape.allSatisfy({ $0 > 0 }) else { return }
            for corner in 0..<1 << cut.count {
                var place = SIMD4<Int>()
                for (bit, axis) in cut.enumerated() {
                    place[bit] = part.offset[axis] + (corner >> bit & 1 == 1 ? part.shape[axis] : 0)
                }
                corners[place, default: 0] += corner.nonzeroBitCount.isMultiple(of: 2) ? weight : -weight
            }
        }
        add(Rectangle(whole: shape), -1)
        for part in parts { add(part, 1) }
        return corners.values.allSatisfy { $0 == 0 }
    }

    /// Cut along the first axis into parts of at most `count` elements, or of one row.
    package func ownedRanges(ofAtMost count: Int) -> [Rectangle] {
        let rows = max(1, count / max(1, shape.dropFirst().reduce(1, *)))
        return stride(from: 0, to: shape[0], by: rows).map { start in
            var part = self
            part.offset[0] += start
            part.shape[0] = min(rows, shape[0] - start)
            return part
        }
    }

    /// The same place as seen from the corner of `frame`.
    package func relative(to frame: Rectangle) -> Rectangle {
        Rectangle(offset: zip(offset, frame.offset).map { $0 - $1 }, shape: shape)
    }

    /// Calls `body` for every run of elements that are consecutive both in this rectangle and in the whole tensor,
    /// with the run's place in the rectangle, its row-major index in `tensor`, and its length.
    package func forEachRun(
        in tensor: [Int], _ body: (_ local: Int, _ global: Int, _ length: Int) throws -> Void
    ) rethrows {
        guard count > 0 else { return }
        // Axes from `joint` on are complete, so elements along them are consecutive.
        var joint = shape.count - 1
        while joint > 0, shape[joint] == tensor[joint] { joint -= 1 }
        let length = shape[joint...].reduce(1, *)
        var place = offset
        for local in stride(from: 0, to: count, by: length) {
            try body(local, zip(place, tensor).reduce(0) { $0 * $1.1 + $1.0 }, length)
            var axis = joint - 1
            while axis >= 0 {
                place[axis] += 1
                if place[axis] < offset[axis] + shape[axis] { break }
                place[axis] = offset[axis]
                axis -= 1
            }
        }
    }
}

extension Rectangle: CustomStringConvertible {
    package var description: String { "\(shape) at \(offset)" }
}
