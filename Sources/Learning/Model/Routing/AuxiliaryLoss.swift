import Kernels
package import Tensors
package import Threading

/// `X·Σ_e f_e·P_e`: f_e is the share of assignments that go to expert e, before capacity, and P_e its mean probability; 1 when
/// tokens are spread evenly. Only P_e carries a gradient.
///
/// Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), equation 4.
package struct AuxiliaryLoss: LoadBalancing {
    /// α
    package let weight: Double

    package init(weight: Double) { self.weight = weight }

    package func loss(of routing: Routing, tokens: Int) -> Double {
        let assignments = Double(tokens * routing.expertsPerToken)
        var sums = [Double](repeating: 0, count: routing.experts), loss = 0.0
        for t in 0..<tokens {
            let p = routing.probabilities.row(t)
            for e in 0..<routing.experts { sums[e] += Double(p[e]) }
        }
        for e in 0..<routing.experts {
            loss += Double(routing.tokensPerExpert[e]) / assignments * sums[e] / Double(tokens)
        }
        return loss * Double(routing.experts)
    }

    package func gradient(of routing: Routing, scale: Double, into dScores: Tensor, on pool: ThreadPool) {
        loadBalanceGradient(
            routing.tokensPerExpert, k: routing.expertsPerToken, scale: Float(weight * scale), into: dScores, on: pool)
    }
}
