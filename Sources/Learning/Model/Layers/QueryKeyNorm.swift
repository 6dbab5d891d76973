import Configuration
import Kernels
package import Tensors
import Threading

/// RMSNorm of queries and of keys, before they are turned by their positions: of each head, with one weight for all heads of
/// queries and one for those of keys (Qwen 3, arXiv:2505.09388, section 2), or of each whole projection (OLMoE, arXiv:2409.02060,
/// section 2).
struct QueryKeyNorm: Sendable {
    private let parts: [Part]
    private let epsilon: Float

    /// The queries' or the keys' place among the columns of queries | keys | values.
    private struct Part: Sendable {
        let weight: ParameterID
        let columns: Range<Int>
        let groups: Range<Int>
    }

    /// What the norms keep for their backward pass; no rows where there are none.
    package struct Activations: Sendable {
        /// `[tokens, (heads + keyValueHeads)·headSize]`: queries | keys as they were.
        let input: Operand
        /// `[tokens, heads + keyValueHeads]`, or `[tokens, 2]` of whole projections.
        let reciprocals: Tensor

        init(tokens: Int, _ settings: AttentionConfiguration, _ precision: Precision) {
            let rows = settings.queryKeyNorm == .none ? 0 : tokens
            input = Operand(precision, rows: rows, columns: settings.queryWidth + settings.keyValueWidth)
            reciprocals = Tensor(rows: rows, columns: settings.normedGroups)
        }
    }

    /// Nil where queries and keys are not normalized.
    /// - Parameter name: of the attention, whose norms are `NAME.query_norm` and `NAME.key_norm`
    init?(_ name: String, _ model: ModelShape, _ layout: ParameterLayout) {
        let settings = model.attention, all = settings.normedGroups
        guard settings.queryKeyNorm != .none else { return nil }
        let keys = settings.queryKeyNorm == .head ? settings.heads : 1
        epsilon = Float(model.normEpsilon)
        parts = [
            Part(
                weight: layout.id("\(name).query_norm.weight"), columns: 0..<settings.queryWidth, groups: 0..<keys),
            Part(
                weight: layout.id("\(name).key_norm.weight"),
                columns: settings.queryWidth..<settings.queryWidth + settings.keyValueWidth, groups: keys..<all),
        ]
    }

    /// Returns what normalizes ranges of rows of `qkv` in place, on the thread that calls it.
    /// - Parameter qkv: `[tokens, (heads + 2·keyValueHeads)·headSize]`
    func normalizer(
        of qkv: Operand, saving saved: Activations, in pass: ForwardContext
    ) -> @Sendable (Range<Int>) -> Void {
        let (parts, epsilon) = (parts, epsilon), weights = parts.map { pass.parameters.tensor($0.weight) }
        return { rows in
            for (part, weight) in zip(parts, weights) {
                headNorm(
                    qkv.rows(rows).columns(part.columns), weight: weight, epsilon: epsilon,
                    saving: saved.input.rows(rows).columns(part.columns),
                    reciprocals: saved.reciprocals.rows(rows).columns(part.groups))
            }
        }
    }

    /// - Parameter dQKV: `[tokens, (heads + 2·keyValueHeads)·headSize]`: the gradients of what is normalized, replaced by those of
    ///   what it was
    func backward(replacing dQKV: Operand, saved: Activations, in pass: BackwardContext) {
        let pool = pass.pool, gradients = pass.gradients, tokens = 0..<dQKV.rows
        guard !tokens.isEmpty else { return }
        for part in parts {
            let dy = dQKV.columns(part.columns), x = saved.input.rows(tokens).columns(part.columns)
            let reciprocals = saved.reciprocals.rows(tokens).columns(part.groups)
            let weight = pass.parameters.tensor(part.weight)
            let sums = pass.workspace.scratch.tokenSums.columns(0..<weight.columns)
            gradients.accumulate(part.weight, on: pool) { target in
                headNormWeightGradient(
                    dy, x: x, reciprocals: reciprocals, into: target.tensor(), adding: target.isAdding(), parts: sums,
                    on: pool)
            }
            headNormBackward(replacing: dy, x: x, weight: weight, reciprocals: reciprocals, on: pool)
        }
    }
}
