/// What stands for some records in a row.
package protocol ThinnedPoint: Sendable {
    /// Adds the records that follow.
    mutating func add(_ next: Self)
}

/// Any number of records as at most `limit` points, each of the same number of records but the last.
package struct Thinned<Point: ThinnedPoint>: Sendable {
    package private(set) var points: [Point] = []
    private let limit: Int
    /// Records of a point.
    private var width = 1
    /// Records of the last point.
    private var filled = 0

    /// - Parameter limit: an even number, so that all points are full when two become one
    init(limit: Int) {
        precondition(limit.isMultiple(of: 2))
        self.limit = limit
    }

    mutating func add(_ point: Point) {
        if filled > 0, filled < width, let last = points.indices.last {
            points[last].add(point)
            filled += 1
            return
        }
        if points.count == limit {
            halve()
            return add(point)
        }
        points.append(point)
        filled = 1
    }

    private mutating func halve() {
        points = stride(from: 0, to: points.count, by: 2).map { index in
            var point = points[index]
            if index + 1 < points.count { point.add(points[index + 1]) }
            return point
        }
        width *= 2
        filled = width
    }
}
