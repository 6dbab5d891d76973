package import Configuration
import Kernels
package import Tensors
package import Threading

/// `x ← x + Attention(norm(x))`: causal multi-head attention with rotary positions.
///
/// Vaswani et al., "Attention Is All You Need" (arXiv:1706.03762), section 3.2.
package struct SelfAttention: Sendable {
    private let norm: Norm
    private let projection: Linear
    private let output: Linear
    private let heads: Int
    private let headDimension: Int

    /// What attention keeps for its backward pass.
    package struct Activations: Sendable {
        package let norm: Norm.Activations
        /// `[tokens, 3·dModel]`, queries and keys rotated.
        package let qkv: Operand
        /// `[tokens, dModel]`, heads side by side.
        package let attended: Operand
        /// `[heads, tokens]`
        package let logSumExp: Tensor

        package init(tokens: Int, _ model: ModelSettings, _ precision: Precision) {
            norm = Norm.Activations(tokens: tokens, dModel: model.dModel, precision)
            qkv = Operand(precision, rows: tokens, columns: 3 * model.dModel)
            attended = Operand(precision, rows: tokens, columns: model.dModel)
            logSumExp = Tensor(rows: model.heads, columns: tokens)
        }
    }

    package init(_ block: String, _ model: ModelSettings, _ layout: ParameterLayout) {
        norm = Norm("\(block).attention_norm", model, layout)
        projection = Linear("\(block).attention.qkv", layout)
        output = Linear("\(block).attention.output", layout)
        heads = model.heads
        headDimension = model.headDimension
    }

    /// - Parameters:
    ///   - x: `[tokens, dModel]`, sequences of `sequenceLength` tokens
    ///   - y: `[tokens, dModel]`, overwritten
    ///   - cache: of the one sequence that goes on with x
    package func forward(
        _ x: Tensor, sequenceLength: Int, _ parameters: ParameterArena, into y: Tensor, saving saved: Activations,
        extending cache: KeyValueCache.Layer? = nil, workspace: LaneWorkspace, on workers: Workers
    ) {
        attend(
            x, sequenceLength: sequenceLength, parameters, saving: saved, extending: cache, workspace: workspace,
            on: workers)
        copyRows(x, into: y, on: workers)
        output.forward(
            saved.attended.rows(0..<x.rows), parameters, into: .float32(y), adding: true, on: workers)
    }

    /// What `forward` leaves in `saved`, that is all up to the output projection.
    package func attend(
        _ x: Tensor, sequenceLength: Int, _ parameters: ParameterArena, saving saved: Activations,
        extending cache: KeyValueCache.Layer? = nil, workspace: LaneWorkspace, on workers: Workers
    ) {
        let h = norm.forward(x, parameters, saving: saved.norm, on: workers)
        let qkv = saved.qkv.rows(0..<x.rows), attended = saved.attended.rows(0..<x.rows)
        let table = workspace.scratch.rotary.starting(at: cache?.position ?? 0)
        projection.forward(h, parameters, into: qkv, on: workers) { rows in
            table.rotate(
                qkv.rows(rows).columns(0..<2 * x.columns), first: rows.lowerBound, context: sequenceLength)
        }
        let seen = cache?.append(qkv, on: workers)
        if let cache, let seen, cache.position > 0 {
            attention(
                ofLast: qkv.columns(0..<x.columns), keysValues: seen, shape: shape(seen.rows), into: attended,
                scratch: workspace.scratch.attention, on: workers)
        } else {
            attention(
                qkv, shape: shape(sequenceLength), into: attended, logSumExp: saved.logSumExp,
                scratch: workspace.scratch.attention, on: workers)
        }
    }

    /// - Parameters:
    ///   - x: what went in
    ///   - dx: `[tokens, dModel]`: the gradient of what came out, to which this half's share is added
    package func backward(
        addingTo dx: Tensor, x: Tensor, sequenceLength: Int, _ parameters: ParameterArena, saved: Activations,
        gradients: GradientAccumulator, workspace: LaneWorkspace, on workers: Workers
    ) {
        let tokens = 0..<x.rows
        let dAttended = workspace.scratch.dAttended.rows(tokens), dQKV = workspace.scratch.dQKV.rows(tokens)
        let dy = operand(dx, roundedInto: workspace.scratch.dStreamOperand, on: workers)
        output.backward(
            dy, x: saved.attended.rows(tokens), parameters, into: dAttended, gradients: gradients, on: workers)
        attentionBackward(
            dAttended, qkv: saved.qkv.rows(tokens), o: saved.attended.rows(tokens), logSumExp: saved.logSumExp,
            shape: shape(sequenceLength), rotary: workspace.scratch.rotary, into: dQKV,
            scratch: workspace.scratch.attention, on: workers)
        let dNorm = workspace.scratch.dNorm.rows(tokens)
        projection.backward(
            dQKV, x: saved.norm.output.rows(tokens), parameters, into: .float32(dNorm), gradients: gradients,
            on: workers)
        norm.backward(
            dNorm, x: x, parameters, saved: saved.norm, addingTo: dx, gradients: gradients,
            parts: workspace.scratch.normSums,
            on: workers)
    }

    private func shape(_ sequenceLength: Int) -> AttentionShape {
        AttentionShape(heads: heads, headDimension: headDimension, context: sequenceLength)
    }
}
