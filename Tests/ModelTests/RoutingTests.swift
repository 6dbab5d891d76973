import Configuration
import Model
import Randomness
import Tensors
import Testing

@Suite struct RoutingTests {
    struct Case: Sendable {
        let tokens: Int
        let experts: Int
        let k: Int
        let seed: UInt64
    }

    private static let cases = [
        (0, 3, 1), (1, 1, 1), (1, 4, 2), (7, 3, 2), (64, 5, 1), (65, 8, 3), (129, 2, 2), (200, 16, 4), (33, 3, 3),
    ].flatMap { shape in (1...4).map { Case(tokens: shape.0, experts: shape.1, k: shape.2, seed: $0) } }

    /// Random distinct choices; seed 4 sends every token's first choice to the last expert.
    private func route(_ test: Case) -> Routing {
        let route = Routing(tokens: test.tokens, experts: test.experts, expertsPerToken: test.k)
        for t in 0..<test.tokens {
            let order = Permutation(
                count: test.experts, seed: test.seed, purpose: .tests, stream: UInt64(t))
            var expertIndices = (0..<test.experts).map { order($0) }
            if test.seed == 4 { expertIndices = [test.experts - 1] + expertIndices.filter { $0 != test.experts - 1 } }
            for j in 0..<test.k { route.expertIndices[t * test.k + j] = Int32(expertIndices[j]) }
        }
        route.assignSlots(tokens: test.tokens)
        return route
    }

    /// Who sits where, by the rule itself: first choices before second, each in token order.
    private func queues(_ route: Routing, _ test: Case) -> [[Int]] {
        var queues = [[Int]](repeating: [], count: test.experts)
        for j in 0..<test.k {
            for t in 0..<test.tokens { queues[Int(route.expertIndices[t * test.k + j])].append(t * test.k + j) }
        }
        return queues
    }

    @Test(arguments: cases) func slotsFollowTheRule(test: Case) {
        let route = route(test), queues = queues(route, test)
        #expect(route.tokensPerExpert.array.map(Int.init) == queues.map(\.count))
        #expect(route.maximumTokensPerExpert == queues.map(\.count).max())
        var slots = [Int](repeating: -1, count: test.tokens * test.k)
        for queue in queues {
            for (slot, assignment) in queue.enumerated() { slots[assignment] = slot }
        }
        #expect(route.slots.array.map(Int.init) == slots)
    }

    /// Within capacity every row is used once, ordered by expert and slot; the rest has no row and is counted as dropped.
    @Test(arguments: cases) func capacityKeepsTheFirstOfEveryQueue(test: Case) {
        let route = route(test), queues = queues(route, test), counts = Vector<Int32>(count: test.experts)
        for capacity in [0, 1, 2, 7, max(1, test.tokens)] {
            route.assignSendRows(0..<capacity, tokens: test.tokens, counts: counts)
            #expect(counts.array.map(Int.init) == queues.map { min($0.count, capacity) })
            let expected = queues.flatMap { $0.prefix(capacity) }
            var rows = [Int](repeating: -1, count: test.tokens * test.k)
            for (row, assignment) in expected.enumerated() { rows[assignment] = row }
            #expect(route.sendRow.array.map(Int.init) == rows, "capacity \(capacity)")
            let dropped = route.statistics(tokens: test.tokens, capacity: capacity, balancing: AuxiliaryLoss(weight: 1))
                .dropped
            #expect(dropped == test.tokens * test.k - expected.count)
        }
        #expect(route.statistics(tokens: test.tokens, capacity: nil, balancing: AuxiliaryLoss(weight: 1)).dropped == 0)
    }

    /// Dropless evaluation sends one window of slots after the other: every assignment travels exactly once.
    @Test(arguments: cases) func windowsPartitionAllAssignments(test: Case) {
        let route = route(test), counts = Vector<Int32>(count: test.experts)
        for width in [1, 3, 64] {
            var traveled = [Int](repeating: 0, count: test.tokens * test.k)
            for start in stride(from: 0, to: route.maximumTokensPerExpert, by: width) {
                route.assignSendRows(
                    start..<min(start + width, route.maximumTokensPerExpert), tokens: test.tokens, counts: counts)
                let rows = route.sendRow.array.filter { $0 >= 0 }.sorted()
                #expect(rows == (0..<counts.array.reduce(0, +)).map { $0 }, "each row once")
                for i in traveled.indices where route.sendRow[i] >= 0 { traveled[i] += 1 }
            }
            #expect(traveled.allSatisfy { $0 == 1 })
        }
    }

    @Test func emptyWindowsSendNothing() {
        let test = Case(tokens: 9, experts: 3, k: 2, seed: 1), route = route(test), counts = Vector<Int32>(count: 3)
        for window in [0..<0, 100..<100, 100..<105] {
            route.assignSendRows(window, tokens: 9, counts: counts)
            #expect(counts.array == [0, 0, 0])
            #expect(route.sendRow.array.allSatisfy { $0 == -1 })
        }
    }
}
