package import Tensors
package import Threading

/// Keeps the load of the experts even by a term of the loss.
///
/// A rule is asked by every micro-batch in every layer with experts, on each rank for the tokens it has; what it computes is a
/// function of its arguments alone, in one order of sums, so that any layout and number of threads gives the same bits.
/// docs/extending.md says how to add one.
package protocol LoadBalancing: Sendable {
    /// Returns the loss of one micro-batch in one layer, unweighted: `load_balance_loss` of the records is its sum over layers.
    /// - Parameters:
    ///   - routing: after selection
    ///   - tokens: of the micro-batch, above zero: the rows of `routing` that count
    func loss(of routing: Routing, tokens: Int) -> Double

    /// Overwrites `dScores` with the gradient of the weighted loss by the scores, before that of the gates is added.
    /// - Parameters:
    ///   - routing: after selection
    ///   - scale: the factor of all auxiliary losses of one micro-batch (`LossScale.auxiliary`); the rule knows its weight
    ///   - dScores: `[tokens, experts]`
    ///   - pool: the threads that compute it
    func gradient(of routing: Routing, scale: Double, into dScores: Tensor, on pool: ThreadPool)
}
