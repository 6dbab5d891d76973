package import Tensors

/// What a routing rule does after a step with a state of its own: one number for every expert of a layer, which no gradient trains.
///
/// The state is a parameter, so that checkpoints, digests, every layout and evaluation have it. In its place in the gradients the
/// rule's backward pass sums what it needs of every micro-batch; ranks and micro-batches are added up as for gradients.
/// docs/extending.md says how to add one.
package protocol RouterState: Sendable {
    /// Replaces the state of a layer, or of some of its experts, before the next step. Without knowledge of other experts: a part
    /// of a state may be all that is here.
    /// - Parameters:
    ///   - state: of consecutive experts
    ///   - sums: of the whole batch, for the same experts
    func update(_ state: Vector<Float>, sums: Vector<Float>)
}
