import Collectives
import Tensors

/// Where each rank's rows lie in a buffer: `displacements[r] = Σ counts[..<r]`, in rows.
struct RowWindows {
    let counts: [Int32]
    let displacements: [Int32]

    /// - Parameter rows: how many rows the buffer has
    init(_ counts: Vector<Int32>, ranks: Int, rows: Int, call: String) throws(CommunicationError) {
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
}

/// `[0, c₀, c₀+c₁, …]`, as many as there are counts.
func runningSums(_ counts: [Int32]) -> [Int32] {
    var total: Int32 = 0
    return counts.map { count in
        defer { total += count }
        return total
    }
}
