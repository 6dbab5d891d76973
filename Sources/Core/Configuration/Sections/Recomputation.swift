/// What the backward pass computes again instead of keeping it: less memory for more arithmetic, the same bits.
///
/// Chen et al., "Training Deep Nets with Sublinear Memory Cost" (arXiv:1604.06174).
package enum Recomputation: String, CaseIterable, Sendable {
    case none
    /// The attention sublayer of a block up to its output projection: the norm's output, queries, keys, values and what they return, 5·dModel operands a token and layer where keys have all heads, less.
    case attention
    /// The whole block from its input, with its exchanges.
    case block

    /// How many sets of activations a pass over `layers` blocks keeps: of inputs, of attention halves, and of Switch halves.
    package func kept(layers: Int, forBackward: Bool) -> (inputs: Int, attention: Int, feedForward: Int) {
        guard forBackward else { return (1, 1, 1) }
        return (layers, self == .none ? layers : 1, self == .block ? 1 : layers)
    }
}
