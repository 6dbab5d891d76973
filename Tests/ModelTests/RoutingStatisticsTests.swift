import Configuration
import Model
import Tensors
import Testing

@Suite struct RoutingStatisticsTests {
    /// Against the definitions, loop by loop: `X·Σ f·P`, `mean lse²`, the longest queue over the mean.
    @Test func followTheDefinitions() {
        let (tokens, experts, k) = (13, 4, 2)
        let route = Routing(tokens: tokens + 3, experts: experts, expertsPerToken: k)
        fill(route.probabilities.vector, seed: 1, center: 0.5, scale: 0.5)
        fill(route.logSumExp, seed: 2, scale: 3)
        for t in 0..<tokens {
            for j in 0..<k { route.expertIndices[t * k + j] = Int32((t * t + j) % experts) }
        }
        route.assignSlots(tokens: tokens)
        let found = route.statistics(tokens: tokens, capacity: 5, balancing: AuxiliaryLoss(weight: 1))
        var balance = 0.0, longest = 0
        for e in 0..<experts {
            let share = Double((0..<tokens * k).count { Int(route.expertIndices[$0]) == e }) / Double(tokens * k)
            balance +=
                Double(experts) * share * (0..<tokens).reduce(0) { $0 + Double(route.probabilities[$1, e]) }
                / Double(tokens)
            longest = max(longest, Int((share * Double(tokens * k)).rounded()))
        }
        let z =
            (0..<tokens).reduce(0) { $0 + Double(route.logSumExp[$1]) * Double(route.logSumExp[$1]) } / Double(tokens)
        #expect(abs(found.loadBalance - balance) <= 1e-12)
        #expect(abs(found.z - z) <= 1e-12)
        #expect(abs(found.imbalance - Double(longest) * Double(experts) / Double(tokens * k)) <= 1e-12)
        let digest = found.expertIndicesDigest
        #expect(digest < 1 << 52)
        route.expertIndices[5] = Int32((Int(route.expertIndices[5]) + 1) % experts)
        #expect(
            route.statistics(tokens: tokens, capacity: 5, balancing: AuxiliaryLoss(weight: 1)).expertIndicesDigest
                != digest)
    }

    @Test func evenSpreadHasLoadBalanceOne() {
        let route = Routing(tokens: 8, experts: 4, expertsPerToken: 1)
        for t in 0..<8 {
            route.expertIndices[t] = Int32(t % 4)
            for e in 0..<4 { route.probabilities[t, e] = 0.25 }
        }
        route.assignSlots(tokens: 8)
        let found = route.statistics(tokens: 8, capacity: 2, balancing: AuxiliaryLoss(weight: 1))
        #expect(found.loadBalance == 1 && found.imbalance == 1 && found.dropped == 0)
        #expect(route.statistics(tokens: 0, capacity: 2, balancing: AuxiliaryLoss(weight: 1)).loadBalance == 0)
    }
}
