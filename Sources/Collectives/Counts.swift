package import Tensors

/// Where each rank's rows lie in a buffer: `displacements[r] = Σ counts[..<r]`, in rows.
package struct RowWindows: Sendable {
    package let counts: [Int32]
    package let displacements: [Int32]

    /// - Parameters:
    ///   - rows: how many rows the buffer has
    ///   - call: what the counts are for, named if they do not fit
    package init(_ counts: Vector<Int32>, ranks: Int, rows: Int, call: String) throws(CommunicationError) {
        guard counts.count == ranks else {
            throw CommunicationError(call: call, reason: "\(counts.count) counts for \(ranks) ranks")
        }
        self.counts = counts.array
        let total = self.counts.reduce(0) { $0 + Int($1) }
        guard self.counts.allSatisfy({ $0 >= 0 }), total <= rows, total <= Int32.max else {
            throw CommunicationError(call: call, reason: "counts \(self.counts) for a buffer of \(rows) rows")
        }
        displacements = runningSums(self.counts)
    }

    /// The rows of rank `rank`.
    package subscript(rank: Int) -> Range<Int> {
        Int(displacements[rank])..<Int(displacements[rank]) + Int(counts[rank])
    }
}

/// `[0, c₀, c₀+c₁, …]`, as many as there are counts.
package func runningSums(_ counts: [Int32]) -> [Int32] {
    var total: Int32 = 0
    return counts.map { count in
        defer { total += count }
        return total
    }
}

/// Where each rank's elements lie in a buffer of `elements`, which they must fill.
package func stretches(
    _ counts: [Int], ranks: Int, elements: Int, call: String
) throws(CommunicationError) -> [Range<Int>] {
    guard counts.count == ranks, counts.allSatisfy({ $0 >= 0 }), counts.reduce(0, +) == elements else {
        throw CommunicationError(
            call: call, reason: "counts \(counts) for \(ranks) ranks and a buffer of \(elements) elements")
    }
    var start = 0
    return counts.map { count in
        defer { start += count }
        return start..<start + count
    }
}

/// Throws unless `ranks` blocks of `n` elements fit in what is sent and in what is received.
package func checkBlocks(
    of n: Int, ranks: Int, sent: Int, received: Int, call: String
) throws(CommunicationError) {
    guard n >= 0, sent >= n * ranks, received >= n * ranks else {
        throw CommunicationError(
            call: call, reason: "\(ranks) blocks of \(n) do not fit in \(sent) elements sent, \(received) received")
    }
}

/// Throws unless rows of `sent` can become rows of `received`.
package func checkRows<Element>(
    _ sent: Matrix<Element>, _ received: Matrix<Element>, call: String
) throws(CommunicationError) {
    guard sent.columns == received.columns, sent.isContiguous, received.isContiguous else {
        throw CommunicationError(
            call: call, reason: "rows of \(sent.columns) and \(received.columns) columns, or not contiguous")
    }
}
