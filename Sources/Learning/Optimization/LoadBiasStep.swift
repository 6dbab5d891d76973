package import Configuration
package import Tensors

/// The update of the biases by which experts are selected: each moves by the same amount, against the sign of its expert's excess
/// of assignments.
///
/// Wang et al., "Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts" (arXiv:2408.15664), algorithm 1.
package struct LoadBiasStep: Sendable {
    /// u
    private let rate: Float

    package init(_ settings: RoutingConfiguration) { rate = Float(settings.biasUpdateRate) }

    /// `b_e ← b_e − u·sign(excess_e)`
    /// - Parameter excess: of the whole batch, in any unit: assignments to the expert less the mean of all
    package func update(_ bias: Vector<Float>, excess: Vector<Float>) {
        let excess = excess.span
        var bias = unsafe bias.unsafeMutableSpan
        precondition(bias.count == excess.count)
        for e in 0..<excess.count where excess[e] != 0 { bias[e] -= excess[e] > 0 ? rate : -rate }
    }
}
