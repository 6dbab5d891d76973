import Configuration
import Model
import Randomness
import Tensors
import Testing

@Suite struct RouteTests {
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
    private func route(_ test: Case) -> Route {
        let route = Route(tokens: test.tokens, experts: test.experts, choicesPerToken: test.k)
        for t in 0..<test.tokens {
            let order = Permutation(
                count: test.experts, seed: test.seed, purpose: .tests, stream: UInt64(t))
            var choices = (0..<test.experts).map { order($0) }
            if test.seed == 4 { choices = [test.experts - 1] + choices.filter { $0 != test.experts - 1 } }
            for j in 0..<test.k { route.choices[t * test.k + j] = Int32(choices[j]) }
        }
        route.assignSeats(tokens: test.tokens)
        return route
    }

    /// Who sits where, by the rule itself: first choices before second, each in token order.
    private func queues(_ route: Route, _ test: Case) -> [[Int]] {
        var queues = [[Int]](repeating: [], count: test.experts)
        for j in 0..<test.k {
            for t in 0..<test.tokens { queues[Int(route.choices[t * test.k + j])].append(t * test.k + j) }
        }
        return queues
    }

    @Test(arguments: cases) func seatsFollowTheRule(test: Case) {
        let route = route(test), queues = queues(route, test)
        #expect(route.assigned.array.map(Int.init) == queues.map(\.count))
        #expect(route.longestQueue == queues.map(\.count).max())
        var seats = [Int](repeating: -1, count: test.tokens * test.k)
        for queue in queues {
            for (seat, assignment) in queue.enumerated() { seats[assignment] = seat }
        }
        #expect(route.seats.array.map(Int.init) == seats)
    }

    /// Within capacity every row is used once, ordered by expert and seat; the rest has no row and is counted as dropped.
    @Test(arguments: cases) func capacityKeepsTheFirstOfEveryQueue(test: Case) {
        let route = route(test), queues = queues(route, test), counts = Vector<Int32>(count: test.experts)
        for capacity in [0, 1, 2, 7, max(1, test.tokens)] {
            route.seat(0..<capacity, tokens: test.tokens, counts: counts)
            #expect(counts.array.map(Int.init) == queues.map { min($0.count, capacity) })
            let expected = queues.flatMap { $0.prefix(capacity) }
            var rows = [Int](repeating: -1, count: test.tokens * test.k)
            for (row, assignment) in expected.enumerated() { rows[assignment] = row }
            #expect(route.rowOf.array.map(Int.init) == rows, "capacity \(capacity)")
            let dropped = route.statistics(tokens: test.tokens, capacity: capacity).dropped
            #expect(dropped == test.tokens * test.k - expected.count)
        }
        #expect(route.statistics(tokens: test.tokens, capacity: nil).dropped == 0)
    }

    /// Dropless evaluation sends one window of seats after the other: every assignment travels exactly once.
    @Test(arguments: cases) func windowsPartitionAllAssignments(test: Case) {
        let route = route(test), counts = Vector<Int32>(count: test.experts)
        for width in [1, 3, 64] {
            var travelled = [Int](repeating: 0, count: test.tokens * test.k)
            for start in stride(from: 0, to: route.longestQueue, by: width) {
                route.seat(start..<min(start + width, route.longestQueue), tokens: test.tokens, counts: counts)
                let rows = route.rowOf.array.filter { $0 >= 0 }.sorted()
                #expect(rows == (0..<counts.array.reduce(0, +)).map { $0 }, "each row once")
                for i in travelled.indices where route.rowOf[i] >= 0 { travelled[i] += 1 }
            }
            #expect(travelled.allSatisfy { $0 == 1 })
        }
    }

    @Test func emptyWindowsSendNothing() {
        let test = Case(tokens: 9, experts: 3, k: 2, seed: 1), route = route(test), counts = Vector<Int32>(count: 3)
        for window in [0..<0, 100..<100, 100..<105] {
            route.seat(window, tokens: 9, counts: counts)
            #expect(counts.array == [0, 0, 0])
            #expect(route.rowOf.array.allSatisfy { $0 == -1 })
        }
    }
}
