import Platform
import Randomness
package import Tensors
package import Threading

/// Fills `arena` with the values training starts from: normals cut at two standard deviations with
/// σ = √(scale / fan_in) (Fedus et al., arXiv:2101.03961, section 2.4), ones for gains, zeros for biases.
///
/// An element's value is a function of the seed, the tensor's name and the element's global index: no rank matters.
package func initialize(_ arena: ParameterArena, scale: Double, seed: UInt64, on workers: ThreadPool) {
    for id in arena.layout.all {
        initialize(arena.vector(id), as: arena.layout[id], scale: scale, seed: seed, on: workers)
    }
    arena.refresh(on: workers)
}

/// The same for what a rank holds of one tensor.
package func initialize(
    _ values: Vector<Float>, as entry: ParameterEntry, scale: Double, seed: UInt64, on workers: ThreadPool
) {
    switch entry.role {
    case .normWeight: values.fill(with: 1)
    case .bias, .routerState: values.fill(with: 0)
    case .matrix(let fanIn):
        let sigma = (scale / Double(fanIn)).squareRoot()
        let random = RandomFunction(seed: seed, purpose: .parameterValues, stream: entry.nameDigest)
        workers.run(over: values.count, tile: 1 << 14) { range in
            for i in range {
                let u = random.uniform(UInt64(entry.globalOffset + i))
                values[i] = Float(sigma * truncatedNormal(u))
            }
        }
    }
}

/// A standard normal cut to [−2, 2] from a uniform `u` in (0, 1), by the inverse of its distribution function.
func truncatedNormal(_ u: Double) -> Double {
    let below = 0.022_750_131_948_179_21  // Φ(−2)
    return normalQuantile(below + u * (1 - 2 * below))
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
