package import Configuration
import Kernels
package import Tensors

/// The feed-forward that all tokens of a layer pass besides their experts: `y += σ(h·w)·F(h)`, or `y += F(h)` without a gate.
///
/// Dai et al., "DeepSeekMoE" (arXiv:2401.06066), equation 9; the gate as in Qwen2-MoE (Yang et al., arXiv:2407.10671, section
/// 2.2.2, and its published program). Every rank has all of it and computes its own micro-batches' tokens, so nothing is
/// exchanged and nothing is dropped.
package struct SharedExperts: Sendable {
    private let experts: FeedForward
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

        package init(tokens all: Int, _ model: ModelShape, _ precision: Precision) {
            let tokens = model.shared == .none ? 0 : all, gated = model.shared.isGated ? tokens : 0
            input = Operand(precision, rows: precision == .float32 ? 0 : tokens, columns: model.dModel)
            feedForward = FeedForward.Activations(rows: tokens, hidden: model.shared.hiddenSize, precision)
            ungated = Operand(precision, rows: gated, columns: model.dModel)
            gates = Tensor(rows: gated, columns: 1)
        }
    }

    /// - Parameters:
    ///   - block: the prefix of its parameters' names
    ///   - settings: of a model that has shared experts
    ///   - layout: where the parameters lie
    package init(_ block: String, _ settings: SharedExpertsConfiguration, _ layout: ParameterLayout) {
        experts = FeedForward("\(block).shared_experts", layout)
        gate = settings.isGated ? Linear("\(block).shared_gate", layout) : nil
    }

    /// - Parameters:
    ///   - h: `[tokens, dModel]`, in float32
    ///   - y: `[tokens, dModel]`, added to
    package func forward(_ h: Operand, addingTo y: Tensor, saving saved: Activations, in pass: ForwardContext) {
        guard h.rows > 0 else { return }
        let all = 0..<h.rows, groups = [RowGroup(rows: all, matrix: 0)]
        let x = operand(h.tensor, roundedInto: saved.input, on: pass.pool)
        guard let gate else {
            experts.forward(x, groups, into: .float32(y), adding: true, saving: saved.feedForward, in: pass)
            return
        }
        let ungated = saved.ungated.rows(all), gates = saved.gates.rows(all)
        experts.forward(x, groups, into: ungated, saving: saved.feedForward, in: pass)
        gate.forward(h, into: .float32(gates), in: pass)
        addGated(ungated, logits: gates, to: y, on: pass.pool)
    }

    /// - Parameters:
    ///   - dy: `[tokens, dModel]`
    ///   - h: the input of the forward pass
    ///   - dh: `[tokens, dModel]`, added to
    package func backward(
        _ dy: Tensor, input h: Operand, addingTo dh: Tensor, saved: Activations, in pass: BackwardContext
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
            gate.backward(.float32(dLogits), input: h, into: .float32(dh), adding: true, in: pass)
        } else {
            dOutput = operand(dy, roundedInto: scratch.dStreamOperand, on: pass.pool)
        }
        experts.backward(
            dOutput, groups, input: x, into: .float32(dh), adding: true, saved: saved.feedForward, in: pass)
    }
}
