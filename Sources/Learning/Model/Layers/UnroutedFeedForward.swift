package import Configuration
import Kernels
package import Tensors

/// The feed-forward that all tokens of a layer pass, shared experts or that of a dense layer: `y += σ(h·w)·F(h)`, or `y += F(h)`
/// without a gate.
///
/// Dai et al., "DeepSeekMoE" (arXiv:2401.06066), equation 9; the gate as in Qwen2-MoE (Yang et al., arXiv:2407.10671, section
/// 2.2.2, and its published program). Every rank has all of it and computes its own micro-batches' tokens, so nothing is
/// exchanged and nothing is dropped.
package struct UnroutedFeedForward: Sendable {
    private let feedForward: FeedForward
    private let gate: Linear?

    /// What the layer keeps for its backward pass.
    package struct Activations: Sendable {
        /// `[tokens, dModel]`: the input, rounded; empty in float32, where it is the norm's output.
        package let input: Operand
        package let feedForward: FeedForward.Activations
        /// `[tokens, dModel]`: what the gate multiplies; empty without one.
        package let ungated: Operand
        /// `[tokens, 1]`: σ(h·w); empty without a gate.
        package let gates: Tensor

        package init(_ sizes: LayerSizes, _ model: ModelShape, _ precision: Precision) {
            let tokens = sizes.unroutedHidden == 0 ? 0 : sizes.tokens, gated = model.shared.isGated ? tokens : 0
            input = Operand(precision, rows: precision == .float32 ? 0 : tokens, columns: model.dModel)
            feedForward = FeedForward.Activations(rows: tokens, hidden: sizes.unroutedHidden, precision)
            ungated = Operand(precision, rows: gated, columns: model.dModel)
            gates = Tensor(rows: gated, columns: 1)
        }

        /// The same memory for a layer of no more hidden units.
        func narrowed(to sizes: LayerSizes) -> Activations { Activations(self, sizes) }

        private init(_ wide: Activations, _ sizes: LayerSizes) {
            (input, ungated, gates) = (wide.input, wide.ungated, wide.gates)
            feedForward = wide.feedForward.narrowed(toHidden: sizes.unroutedHidden)
        }
    }

    /// - Parameters:
    ///   - layer: one that has such a feed-forward
    ///   - model: its model
    ///   - layout: where the parameters lie
    package init(_ layer: Int, _ model: ModelShape, _ layout: ParameterLayout) {
        let block = "blocks.\(layer)", isRouted = model.isRouted(layer)
        feedForward = FeedForward("\(block).\(isRouted ? "shared_experts" : "feed_forward")", layout)
        gate = isRouted && model.shared.isGated ? Linear("\(block).shared_gate", layout) : nil
    }

    /// - Parameters:
    ///   - h: `[tokens, dModel]`, in float32
    ///   - y: `[tokens, dModel]`, added to
    package func forward(_ h: Operand, addingTo y: Tensor, saving saved: Activations, in pass: ForwardContext) {
        guard h.rows > 0 else { return }
        let all = 0..<h.rows, groups = [RowGroup(rows: all, matrix: 0)]
        let x = operand(h.tensor, roundedInto: saved.input, on: pass.pool)
        guard let gate else {
            feedForward.forward(x, groups, into: .float32(y), adding: true, saving: saved.feedForward, in: pass)
            return
        }
        let ungated = saved.ungated.rows(all), gates = saved.gates.rows(all)
        feedForward.forward(x, groups, into: ungated, saving: saved.feedForward, in: pass)
        gate.forward(h, into: .float32(gates), in: pass)
        addGated(ungated, logits: gates, to: y, on: pass.pool)
    }

    /// - Parameters:
    ///   - dy: `[tokens, dModel]`
    ///   - h: the input of the forward pass
    ///   - dh: `[tokens, dModel]`, overwritten, or added to if `adding`
    package func backward(
        _ dy: Tensor, input h: Operand, into dh: Tensor, adding: Bool, saved: Activations, in pass: BackwardContext
    ) {
        guard h.rows > 0 else { return }
        let all = 0..<h.rows, groups = [RowGroup(rows: all, matrix: 0)], scratch = pass.workspace.scratch
        let x = h.precision == saved.input.precision ? h : saved.input.rows(all)
        let dOutput: Operand
        if let gate {
            let dLogits = scratch.dSharedGate.rows(all)
            dOutput = scratch.dShared.rows(all)
            addGatedBackward(
                dy, saved.ungated.rows(all), gates: saved.gates.rows(all), into: dOutput, dLogits: dLogits,
                on: pass.pool)
            gate.backward(.float32(dLogits), input: h, into: .float32(dh), adding: adding, in: pass)
        } else {
            dOutput = operand(dy, roundedInto: scratch.dStreamOperand, on: pass.pool)
        }
        feedForward.backward(
            dOutput, groups, input: x, into: .float32(dh), adding: adding || gate != nil, saved: saved.feedForward,
            in: pass)
    }
}
