package import Configuration
import Platform
import Randomness
package import Tensors
package import Threading

/// The values training starts from: truncated normals with σ = √(scale / fan_in) in matrices, ones in norm weights, zeros in biases.
/// Two standard deviations is where Fedus et al. cut (arXiv:2101.03961, section 2.4), ±0.2 where the program of Ludziejewski
/// et al. does (arXiv:2502.05172).
///
/// An element's value is a function of the seed, the tensor's name and the element's global index: no rank matters.
package struct Initialization: Sendable {
    private let kind: InitializationKind
    private let scale: Double
    private let seed: UInt64

    package init(_ kind: InitializationKind, scale: Double, seed: UInt64) {
        (self.kind, self.scale, self.seed) = (kind, scale, seed)
    }

    package init<Vocabulary>(_ configuration: RunDescription<Vocabulary>) {
        let model = configuration.model
        self.init(model.initialization, scale: model.initializationScale, seed: configuration.seed)
    }

    package func fill(_ arena: ParameterArena, on workers: ThreadPool) {
        for id in arena.layout.all { fill(arena.vector(id), as: arena.layout[id], on: workers) }
        arena.refresh(on: workers)
    }

    /// The same for what a rank holds of one tensor.
    package func fill(_ values: Vector<Float>, as entry: ParameterEntry, on workers: ThreadPool) {
        switch entry.role {
        case .normWeight: values.fill(with: 1)
        case .bias, .routerState: values.fill(with: 0)
        case .matrix(let fanIn):
            let sigma = (scale / Double(fanIn)).squareRoot()
            let normal = TruncatedNormal(at: kind == .llmRandom ? 0.2 / sigma : 2)
            let random = RandomFunction(seed: seed, purpose: .parameterValues, stream: entry.nameDigest)
            workers.run(over: values.count, tile: 1 << 14) { range in
                for i in range {
                    values[i] = Float(sigma * normal(random.uniform(UInt64(entry.globalOffset + i))))
                }
            }
        }
    }
}

/// Standard normals that are drawn again beyond a limit.
struct TruncatedNormal: Sendable {
    /// The probability of what lies below.
    private let below: Double

    /// - Parameter limit: values lie in [−limit, limit]
    init(at limit: Double) {
        below = limit == 2 ? 0.022_750_131_948_179_21 : 0.5 * erfc(limit / 2.0.squareRoot())
    }

    /// - Parameter u: uniform in (0, 1), taken through the inverse of the distribution function
    func callAsFunction(_ u: Double) -> Double { normalQuantile(below + u * (1 - 2 * below)) }
}

/// Φ⁻¹ to about 1e-9: Acklam's rational approximation, two regions by symmetry.
func normalQuantile(_ p: Double) -> Double {
    let tail = 0.02425
    if p < tail { return tailQuantile((-2 * log(p)).squareRoot()) }
    if p > 1 - tail { return -tailQuantile((-2 * log(1 - p)).squareRoot()) }
    let q = p - 0.5, r = q * q
    let numerator =
        (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r
            + 1.383577518672690e+02) * r - 3.066479806614716e+01) * r + 2.506628277459239e+00) * q
    let denominator =
        ((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r
            + 6.680131188771972e+01) * r - 1.328068155288572e+01) * r + 1
    return numerator / denominator
}

private func tailQuantile(_ q: Double) -> Double {
    let numerator =
        ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q
            - 2.549732539343734e+00) * q + 4.374664141464968e+00) * q + 2.938163982698783e+00
    let denominator =
        (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q
            + 3.754408661907416e+00) * q + 1
    return numerator / denominator
}
