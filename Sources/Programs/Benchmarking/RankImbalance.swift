/// How unevenly the rows of experts fall on ranks: those of the busiest rank over the mean of all.
///
/// The ranks of an expert group wait for each other in every exchange, so a group's busiest rank is looked for exchange by
/// exchange; groups wait for each other at the end of a step, so the slowest group counts.
///
/// `max_g Σ_x max_{q in g} rows[q][x] / (Σ_q Σ_x rows[q][x] / ranks)`; 1 if all have the same.
/// - Parameters:
///   - rows: of each rank, exchange by exchange
///   - expertParallelSize: consecutive ranks that share out the experts
package func rankImbalance(_ rows: [[Int]], expertParallelSize: Int) -> Double {
    let all = rows.reduce(0) { $0 + $1.reduce(0, +) }
    guard all > 0 else { return 1 }
    let slowest = stride(from: 0, to: rows.count, by: expertParallelSize).map { first in
        let group = rows[first..<first + expertParallelSize]
        return group[first].indices.reduce(0) { sum, exchange in sum + group.map { $0[exchange] }.max()! }
    }
    return Double(slowest.max()!) * Double(rows.count) / Double(all)
}
