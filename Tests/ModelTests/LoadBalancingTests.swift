import Model
import Tensors
import TestSupport
import Testing
import Threading

/// Every rule that `RoutingPolicy` can select belongs here.
@Suite struct LoadBalancingTests {
    private let tokens = 7, experts = 4

    private func routing(k: Int) -> Routing {
        let routing = Routing(tokens: tokens, experts: experts, expertsPerToken: k)
        for t in 0..<tokens {
            var total: Float = 0
            for e in 0..<experts {
                routing.probabilities[t, e] = Float(1 + (5 * t + 3 * e) % 7)
                total += routing.probabilities[t, e]
            }
            for e in 0..<experts { routing.probabilities[t, e] /= total }
            for j in 0..<k { routing.expertIndices[t * k + j] = Int32((t * t + j) % experts) }
        }
        routing.assignSlots(tokens: tokens)
        return routing
    }

    @Test("the gradient is that of the weighted loss, and nothing of what was there before", arguments: [1, 2])
    func gradient(k: Int) {
        let pool = ThreadPool(count: 2), routing = routing(k: k)
        let rule: any LoadBalancing = AuxiliaryLoss(weight: 0.5)
        let found = Tensor(rows: tokens, columns: experts)
        for t in 0..<tokens { for e in 0..<experts { found[t, e] = .nan } }
        rule.gradient(of: routing, scale: 3, into: found, on: pool)
        let step: Float = 1 / 64
        for t in 0..<tokens {
            for e in 0..<experts {
                let p = routing.probabilities[t, e]
                routing.probabilities[t, e] = p + step
                let above = rule.loss(of: routing, tokens: tokens)
                routing.probabilities[t, e] = p - step
                let below = rule.loss(of: routing, tokens: tokens)
                routing.probabilities[t, e] = p
                let expected = 3 * 0.5 * (above - below) / Double(2 * step)
                #expect(abs(Double(found[t, e]) - expected) < 1e-5, "token \(t), expert \(e)")
            }
        }
    }

    @Test("a bias moves against the sign of its expert's excess, by the rate, and stays where there is none")
    func bias() {
        let bias = Vector<Float>([1, 1, 1, -1])
        LoadBias(rate: 0.25).update(bias, sums: Vector([1e-9, -3, 0, 5]))
        #expect(bias.array == [0.75, 1.25, 1, -1.25])
    }

    @Test("an even load has a loss of one, whatever the probabilities of single tokens are") func even() {
        let routing = Routing(tokens: 4, experts: 4, expertsPerToken: 1)
        for t in 0..<4 {
            for e in 0..<4 { routing.probabilities[t, e] = e == t ? 0.7 : 0.1 }
            routing.expertIndices[t] = Int32(t)
        }
        routing.assignSlots(tokens: 4)
        #expect(abs(AuxiliaryLoss(weight: 1).loss(of: routing, tokens: 4) - 1) < 1e-6)
        for t in 0..<4 { routing.expertIndices[t] = 0 }
        routing.assignSlots(tokens: 4)
        for t in 0..<4 { for e in 0..<4 { routing.probabilities[t, e] = e == 0 ? 1 : 0 } }
        #expect(AuxiliaryLoss(weight: 1).loss(of: routing, tokens: 4) == 4)
    }
}
