package import Tensors

/// Where each rank's elements lie in a buffer of `elements`, which they must fill.
package func ownedRanges(
    _ counts: [Int], ranks: Int, elements: Int, call: String
) throws(CommunicationError) -> [Range<Int>] {
    guard counts.count == ranks, counts.allSatisfy({ $0 >= 0 }), counts.reduce(0, +) == elements else {
        throw CommunicationError(
            call: call, reason: "counts \(counts) for \(ranks) ranks and a buffer of \(elements) elements")
    }
    return consecutive(counts)
}

/// Where the rows for each rank lie in `sent`, and those from each rank in `received`.
/// - Throws: if they do not fit there, or rows of one cannot become rows of the other
package func rowRanges<Element>(
    _ sent: Matrix<Element>, _ sentRows: Vector<Int32>, _ received: Matrix<Element>, _ receivedRows: Vector<Int32>,
    ranks: Int, call: String
) throws(CommunicationError) -> (sent: [Range<Int>], received: [Range<Int>]) {
    guard sent.columns == received.columns, sent.isContiguous, received.isContiguous else {
        throw CommunicationError(
            call: call, reason: "rows of \(sent.columns) and \(received.columns) columns, or not contiguous")
    }
    func windows(_ rows: Vector<Int32>, in buffer: Matrix<Element>) throws(CommunicationError) -> [Range<Int>] {
        let counts = rows.array.map { Int($0) }
        guard counts.count == ranks, counts.allSatisfy({ $0 >= 0 }), counts.reduce(0, +) <= buffer.rows else {
            throw CommunicationError(
                call: call, reason: "counts \(counts) for \(ranks) ranks and a buffer of \(buffer.rows) rows")
        }
        return consecutive(counts)
    }
    return (try windows(sentRows, in: sent), try windows(receivedRows, in: received))
}

/// `0..<c₀, c₀..<c₀+c₁, …`
package func consecutive(_ counts: [Int]) -> [Range<Int>] {
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
