package import Collectives
import Tensors
import Threading

/// Every promise of `Communicator`, for any implementation and any number of ranks.
package func communicatorChecks(_ c: any Communicator) throws {
    for check in communicatorCheckList { try check.run(on: c) }
}

/// The same, one by one.
package let communicatorCheckList: [RankCheck] = [
    RankCheck("communicator: sum", checkSum), RankCheck("communicator: maximum", checkMaximum),
    RankCheck("communicator: reduce-scatter", checkReduceScatter),
    RankCheck("communicator: all-gather", checkAllGather),
    RankCheck("communicator: exchange", checkExchange), RankCheck("communicator: exchange rows", checkExchangeRows),
    RankCheck("communicator: gather", checkGather), RankCheck("communicator: split", checkSplit),
    RankCheck("communicator: two threads at the same time", checkThreads),
    RankCheck("communicator: wrong counts are refused", checkRefusals),
]

private func checkSum(_ c: any Communicator, _ found: Expectations) throws {
    let ranks = c.size * (c.size + 1) / 2
    for count in [0, 1, 7, 300_001] {
        let integers = Vector<Int64>((0..<count).map { Int64($0) * Int64(c.rank + 1) })
        try c.allReduceSum(integers)
        found.expect((0..<count).allSatisfy { integers[$0] == Int64($0 * ranks) }, "sum of \(count) Int64")
        let floats = Vector<Float>((0..<count).map { $0 % c.size == c.rank ? Float($0) + 0.5 : 0 })
        try c.allReduceSum(floats)
        found.expect((0..<count).allSatisfy { floats[$0] == Float($0) + 0.5 }, "sum of \(count) Float with one addend")
    }
    let wide = Vector<UInt64>([UInt64.max])
    try c.allReduceSum(wide)
    found.expectEqual(wide[0], 0 &- UInt64(c.size), "sum modulo 2^64")
    let double = Vector<Double>([Double(c.rank) + 0.25])
    try c.allReduceSum(double)
    found.expectEqual(double[0], Double(ranks - c.size) + 0.25 * Double(c.size), "sum of Double")
    // A window: its neighbors must stay as they are.
    let window = Vector<Int32>([7, 1, 1, 7])
    try c.allReduceSum(window[1..<3])
    found.expectEqual(window.array, [7, Int32(c.size), Int32(c.size), 7], "sum of a window")
}

private func checkMaximum(_ c: any Communicator, _ found: Expectations) throws {
    try c.allReduceMaximum(Vector<Float>(count: 0))
    let integers = Vector<Int32>((0..<5).map { Int32(($0 + c.rank) % c.size) - 100 })
    try c.allReduceMaximum(integers)
    found.expectEqual(integers.array, Array(repeating: Int32(c.size - 1) - 100, count: 5), "maximum of Int32")
    let floats = Vector<Float>([c.rank == 0 ? -1 : -2])
    try c.allReduceMaximum(floats)
    found.expectEqual(floats[0], -1, "maximum of Float")
    try c.barrier()
}

private func checkExchange(_ c: any Communicator, _ found: Expectations) throws {
    for block in [0, 1, 5, 20_000] {
        let sent = Vector<Int64>((0..<c.size * block).map { Int64(c.rank) * 1_000_000 + Int64($0) })
        let received = Vector<Int64>(count: c.size * block)
        try c.allToAll(sent, into: received, block: block)
        let isRight = (0..<c.size).allSatisfy { r in
            (0..<block).allSatisfy { received[r * block + $0] == Int64(r) * 1_000_000 + Int64(c.rank * block + $0) }
        }
        found.expect(isRight, "exchange of blocks of \(block)")
    }
}

private func checkExchangeRows(_ c: any Communicator, _ found: Expectations) throws {
    try checkExchangeRows(c, found) { Float($0) }
    try checkExchangeRows(c, found) { BFloat16(bits: UInt16(truncatingIfNeeded: ($0 &* 0x9E37_79B1) &>> 16)) }
}

/// - Parameter element: makes one of a number, another of another
private func checkExchangeRows<Element: MatrixElement>(
    _ c: any Communicator, _ found: Expectations, element: @escaping (Int) -> Element
) throws {
    func allToAllRows(columns: Int, rows: (Int, Int) -> Int) throws {
        try exchange(c, columns: columns, found, rows: rows, element: element)
    }
    try allToAllRows(columns: 3) { from, to in (from * 2 + to) % 4 }
    try allToAllRows(columns: 1) { _, _ in 0 }
    try allToAllRows(columns: 0) { _, _ in 2 }
    // All to the last rank; rank 0 has nothing to send.
    try allToAllRows(columns: 5) { from, to in to == c.size - 1 ? from : 0 }
    // Only to oneself.
    try allToAllRows(columns: 2) { from, to in from == to ? 3 : 0 }
    // Beyond any eager limit, uneven.
    try allToAllRows(columns: 257) { from, to in 900 + 100 * from + to }
}

/// Rows `[from, to, number, …]` in counts `rows(from, to)`; every received row must name its sender, this rank and its
/// number.
private func exchange<Element: MatrixElement>(
    _ c: any Communicator, columns: Int, _ found: Expectations, rows: (Int, Int) -> Int, element: (Int) -> Element
) throws {
    let outgoing = (0..<c.size).map { rows(c.rank, $0) }, incoming = (0..<c.size).map { rows($0, c.rank) }
    let sent = Matrix<Element>(rows: outgoing.reduce(0, +), columns: columns)
    let received = Matrix<Element>(rows: incoming.reduce(0, +), columns: columns)
    var row = 0
    for (to, count) in outgoing.enumerated() {
        for number in 0..<count {
            for column in 0..<columns { sent[row, column] = element(mark(c.rank, to, number, column)) }
            row += 1
        }
    }
    try c.allToAllRows(
        sent, counts: Vector(outgoing.map(Int32.init)), into: received, counts: Vector(incoming.map(Int32.init)))
    row = 0
    for (from, count) in incoming.enumerated() {
        for number in 0..<count {
            let isRight = (0..<columns).allSatisfy { received[row, $0] == element(mark(from, c.rank, number, $0)) }
            if !isRight {
                found.expect(false, "row \(number) from rank \(from), \(columns) columns of \(Element.self)")
            }
            row += 1
        }
    }
}

private func mark(_ from: Int, _ to: Int, _ number: Int, _ column: Int) -> Int {
    ((from * 16 + to) * 2048 + number) * 4 + column % 4
}

private func checkGather(_ c: any Communicator, _ found: Expectations) throws {
    for length in [{ _ in 0 }, { $0 }, { $0 == 0 ? 100_003 : 0 }, { 3 + 70_000 * $0 }] as [(Int) -> Int] {
        let all = try c.allGather((0..<length(c.rank)).map { UInt8(truncatingIfNeeded: $0 * 3 + c.rank) })
        let expected = (0..<c.size).map { r in (0..<length(r)).map { UInt8(truncatingIfNeeded: $0 * 3 + r) } }
        found.expect(all == expected, "gather of \(expected.map(\.count)) bytes gave \(all.map(\.count))")
    }
}

private func checkSplit(_ c: any Communicator, _ found: Expectations) throws {
    let part = try c.split(color: c.rank % 2)
    let members = (0..<c.size).filter { $0 % 2 == c.rank % 2 }
    found.expectEqual(part.size, members.count, "size of a part")
    found.expectEqual(part.rank, members.firstIndex(of: c.rank) ?? -1, "rank in a part")
    let names = try part.allGather([UInt8(c.rank)])
    found.expectEqual(names.map { Int($0[0]) }, members, "members of a part")
    let sum = Vector<Int32>([Int32(c.rank)])
    try part.allReduceSum(sum)
    found.expectEqual(Int(sum[0]), members.reduce(0, +), "sum over a part")
    let alone = try part.split(color: c.rank)
    found.expectEqual(alone.size, 1, "size of a part of one")
    try alone.barrier()
}

/// Rounds of small and large sums on one communicator while another thread does the same on another.
private func checkThreads(_ c: any Communicator, _ found: Expectations) throws {
    guard c.supportsThreads else { return }
    let other = try c.duplicate(waiting: BackgroundWaitPolicy())
    let outcome = Monitor<(any Error)?>(nil)
    let thread = JoinableThread {
        do {
            try manySums(of: 2).run(on: other)
        } catch {
            outcome.update { $0 = error }
        }
    }
    try manySums(of: 1).run(on: c)
    thread.join()
    let error = outcome.update { $0 }
    found.expect(error == nil, "the other thread: \(String(describing: error))")
}

private func manySums(of addend: Int64) -> RankCheck {
    RankCheck("many sums of \(addend)") { c, found in
        for round in 0..<50 {
            let values = Vector<Int64>(Array(repeating: addend, count: round % 5 == 0 ? 50_000 : 3))
            try c.allReduceSum(values)
            let isRight = (0..<values.count).allSatisfy { values[$0] == addend * Int64(c.size) }
            try c.barrier()
            found.expect(isRight, "sum of round \(round), addend \(addend)")
        }
        try checkReduceScatter(c, found)
        try checkAllGather(c, found)
    }
}

private func checkRefusals(_ c: any Communicator, _ found: Expectations) throws {
    let rows = Tensor(rows: 2, columns: 2)
    let tooMany = Vector<Int32>(Array(repeating: 3, count: c.size)), none = Vector<Int32>(count: c.size)
    found.expect(
        isRefused { try c.allToAllRows(rows, counts: tooMany, into: rows, counts: none) }, "too many rows sent")
    found.expect(
        isRefused { try c.allToAllRows(rows, counts: none, into: Tensor(rows: 2, columns: 3), counts: none) },
        "rows of different length")
    found.expect(
        isRefused { try c.allToAll(Vector<Float>(count: 1), into: Vector<Float>(count: 1), block: 2) },
        "blocks that do not fit")
    let five = Vector<Float>(count: 5), four = [4] + Array(repeating: 0, count: c.size - 1)
    found.expect(isRefused { try c.reduceScatter(five, counts: four) }, "counts that leave an element over")
    found.expect(isRefused { try c.allGather(five, counts: [5] + four) }, "a count too many")
}

private func isRefused(_ body: () throws -> Void) -> Bool {
    do {
        try body()
        return false
    } catch {
        return true
    }
}
