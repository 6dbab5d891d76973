package import Configuration
package import Kernels
package import Tensors
import Threading

/// `x ← x + Attention(norm(x))`: causal attention with rotary positions, whose heads of queries read keys and values of their
/// own or share them in groups.
///
/// Vaswani et al., "Attention Is All You Need" (arXiv:1706.03762), section 3.2; Ainslie et al., "GQA" (arXiv:2305.13245).
package struct SelfAttention: Sendable {
    private let norm: Norm
    private let projection: Linear
    private let queryKeyNorm: QueryKeyNorm?
    private let output: Linear
    private let layer: Int
    private let settings: AttentionConfiguration

    /// What attention keeps for its backward pass.
    package struct Activations: Sendable {
        package let norm: Norm.Activations
        /// `[tokens, (heads + 2·keyValueHeads)·headSize]`, queries | keys | values, queries and keys rotated.
        package let qkv: Operand
        /// `[tokens, heads·headSize]`, heads side by side.
        package let attended: Operand
        let queryKeyNorm: QueryKeyNorm.Activations
        /// `[heads, tokens]`
        package let logSumExp: Tensor

        package init(tokens: Int, _ model: ModelShape, _ precision: Precision) {
            norm = Norm.Activations(tokens: tokens, dModel: model.dModel, precision)
            qkv = Operand(precision, rows: tokens, columns: model.attention.projectedWidth)
            attended = Operand(precision, rows: tokens, columns: model.attention.queryWidth)
            queryKeyNorm = QueryKeyNorm.Activations(tokens: tokens, model.attention, precision)
            logSumExp = Tensor(rows: model.attention.heads, columns: tokens)
        }
    }

    package init(_ layer: Int, _ model: ModelShape, _ layout: ParameterLayout) {
        let block = "blocks.\(layer)"
        self.layer = layer
        norm = Norm("\(block).attention_norm", model, layout)
        projection = Linear("\(block).attention.qkv", layout)
        queryKeyNorm = QueryKeyNorm("\(block).attention", model, layout)
        output = Linear("\(block).attention.output", layout)
        settings = model.attention
    }

    /// - Parameters:
    ///   - x: `[tokens, dModel]`, sequences of `pass.sequenceLength` tokens, or the continuation of the one in the cache
    ///   - y: `[tokens, dModel]`, overwritten
    package func forward(_ x: Tensor, into y: Tensor, saving saved: Activations, in pass: ForwardContext) {
        attend(x, saving: saved, in: pass)
        copyRows(x, into: y, on: pass.pool)
        output.forward(saved.attended.rows(0..<x.rows), into: .float32(y), adding: true, in: pass)
    }

    /// Computes what `forward` leaves in `saved`: everything before the output projection.
    package func attend(_ x: Tensor, saving saved: Activations, in pass: ForwardContext) {
        let h = norm.forward(x, saving: saved.norm, in: pass)
        let qkv = saved.qkv.rows(0..<x.rows), attended = saved.attended.rows(0..<x.rows)
        let scratch = pass.workspace.scratch, length = pass.sequenceLength, cache = pass.cache?.layer(layer)
        let table = scratch.rotary.starting(at: cache?.position ?? 0)
        let rotated = 0..<settings.queryWidth + settings.keyValueWidth
        let starts = pass.documentStarts
        let normalize = queryKeyNorm?.normalizer(of: qkv, saving: saved.queryKeyNorm, in: pass)
        projection.forward(h, into: qkv, in: pass) { rows in
            normalize?(rows)
            table.rotate(
                qkv.rows(rows).columns(rotated), first: rows.lowerBound, context: length, starts: starts?[rows])
        }
        let seen = cache?.append(qkv.columns(settings.queryWidth..<settings.projectedWidth), on: pass.pool)
        if let cache, let seen, cache.position > 0 {
            attention(
                ofLast: qkv.columns(0..<settings.queryWidth), keysValues: seen, shape: shape(seen.rows), into: attended,
                scratch: scratch.attention, on: pass.pool)
        } else {
            attention(
                qkv, shape: shape(length), starts: starts, into: attended, logSumExp: saved.logSumExp,
                scratch: scratch.attention, on: pass.pool)
        }
    }

    /// Adds the sublayer's part to the residual stream's gradient.
    /// - Parameters:
    ///   - dx: `[tokens, dModel]`: the gradient of y, to which that of x through attention is added
    ///   - x: the input of the forward pass
    package func backward(addingTo dx: Tensor, input x: Tensor, saved: Activations, in pass: BackwardContext) {
        let tokens = 0..<x.rows, scratch = pass.workspace.scratch
        let dAttended = scratch.dAttended.rows(tokens), dQKV = scratch.dQKV.rows(tokens)
        let dy = operand(dx, roundedInto: scratch.dStreamOperand, on: pass.pool)
        output.backward(dy, input: saved.attended.rows(tokens), into: dAttended, in: pass)
        attentionBackward(
            dAttended, qkv: saved.qkv.rows(tokens), o: saved.attended.rows(tokens), logSumExp: saved.logSumExp,
            shape: shape(pass.sequenceLength), starts: pass.documentStarts, rotary: scratch.rotary, into: dQKV,
            scratch: scratch.attention, on: pass.pool)
        queryKeyNorm?.backward(replacing: dQKV, saved: saved.queryKeyNorm, in: pass)
        let dNorm = scratch.dNorm.rows(tokens)
        projection.backward(dQKV, input: saved.norm.output.rows(tokens), into: .float32(dNorm), in: pass)
        norm.backward(dNorm, input: x, saved: saved.norm, addingTo: dx, in: pass)
    }

    private func shape(_ sequenceLength: Int) -> AttentionShape {
        AttentionShape(settings, context: sequenceLength)
    }
}

extension AttentionShape {
    /// The shape of attention over sequences of `context` tokens.
    package init(_ settings: AttentionConfiguration, context: Int) {
        self.init(
            heads: settings.heads, keyValueHeads: settings.keyValueHeads, headSize: settings.headSize, context: context)
    }
}
