import Collectives
import Tensors

/// How many elements are each rank's: even and uneven, none for some or for all, more than one piece of a message.
private func shares(_ ranks: Int) -> [[Int]] {
    [
        (0..<ranks).map { _ in 0 }, (0..<ranks).map { _ in 5 }, (0..<ranks).map { $0 * 16 },
        (0..<ranks).map { $0 == 0 ? 4096 : 0 }, (0..<ranks).map { $0 == ranks - 1 ? 48 : 0 },
        (0..<ranks).map { 1_100_000 + 300_001 * $0 },
    ]
}

func checkReduceScatter(_ c: any Communicator, _ found: Expectations) throws {
    let ranks = c.size * (c.size + 1) / 2
    for counts in shares(c.size) {
        let total = counts.reduce(0, +), start = counts.prefix(c.rank).reduce(0, +)
        let own = start..<start + counts[c.rank]
        let integers = Vector<Int64>((0..<total).map { Int64($0) * Int64(c.rank + 1) })
        try c.reduceScatter(integers, counts: counts)
        let isRight = (0..<total).allSatisfy {
            integers[$0] == Int64($0) * Int64(own.contains($0) ? ranks : c.rank + 1)
        }
        found.expect(isRight, "reduce-scatter of \(counts) Int64")
        let floats = Vector<Float>((0..<total).map { Float($0 % 1000) })
        try c.reduceScatter(floats, counts: counts)
        found.expect(own.allSatisfy { floats[$0] == Float($0 % 1000 * c.size) }, "reduce-scatter of \(counts) Float")
    }
}

func checkAllGather(_ c: any Communicator, _ found: Expectations) throws {
    for counts in shares(c.size) {
        let total = counts.reduce(0, +), start = counts.prefix(c.rank).reduce(0, +)
        let own = start..<start + counts[c.rank]
        // Its neighbors must stay as they are.
        let memory = Vector<Float>(count: total + 2), values = memory[1..<total + 1]
        for i in own { values[i] = Float(i % 1_000_003) + 1 }
        try c.allGather(values, counts: counts)
        let isRight = (0..<total).allSatisfy { values[$0] == Float($0 % 1_000_003) + 1 }
        found.expect(isRight && memory[0] == 0 && memory[total + 1] == 0, "all-gather of \(counts)")
    }
}
