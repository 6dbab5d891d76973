import Configuration
import Diagnostics
import Foundation
import MatrixProducts
import Model
import Platform
import Tensors

/// Logits straight from the files of a Hugging Face model, computed as `transformers` defines the classes and with
/// nothing of ours but matrix products: by the files' names and layouts, in plain loops.
///
/// Memory: one layer's attention or one expert.
final class ReferenceForward {
    private let files: WeightFiles
    private let configuration: ImportedConfiguration
    private let tokens: SampleTokens
    /// By how much the last expert chosen was more probable than the first one passed over, at the closest call.
    private(set) var closestCall = Float.infinity

    init(_ model: ImportedModel, _ tokens: SampleTokens) {
        files = model.files
        configuration = model.configuration
        self.tokens = tokens
    }

    private var d: Int { configuration.model.dModel }

    /// - Returns: `[tokens, dModel]`: what the head sees
    func hidden() throws(Failure) -> Tensor {
        let x = Tensor(rows: tokens.count, columns: d)
        for (row, token) in tokens.all.enumerated() {
            let values = try files.read("model.embed_tokens.weight", token * d..<(token + 1) * d)
            for c in 0..<d { x[row, c] = values[c] }
        }
        for layer in 0..<configuration.model.layers {
            let name = "model.layers.\(layer)"
            add(try attention(norm(x, "\(name).input_layernorm.weight"), "\(name).self_attn"), to: x)
            let h = try norm(x, "\(name).post_attention_layernorm.weight")
            add(try configuration.huggingFaceClass.feedForward(h, "\(name).mlp", in: self), to: x)
        }
        return try norm(x, "model.norm.weight")
    }

    /// Logits of the tokens `vocabulary`.
    func logits(_ hidden: Tensor, _ vocabulary: Range<Int>) throws(Failure) -> Tensor {
        let name = configuration.model.tieEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"
        let head = try files.read(name, vocabulary.lowerBound * d..<vocabulary.upperBound * d)
        let logits = Tensor(rows: hidden.rows, columns: vocabulary.count)
        multiply(hidden.factor, Tensor(head, rows: vocabulary.count, columns: d).transposed, into: .float32(logits))
        return logits
    }

    /// `x·Wᵀ + b`, `W` as stored: `[out, in]`, `b` if the projection has one.
    private func projection(_ x: Tensor, _ name: String) throws(Failure) -> Tensor {
        let y = try linear(x, "\(name).weight")
        guard files.tensors["\(name).bias"] != nil else { return y }
        let bias = try files.read("\(name).bias")
        for t in 0..<y.rows { for c in 0..<y.columns { y[t, c] += bias[c] } }
        return y
    }

    /// `x·Wᵀ`, `W` as stored: `[out, in]`.
    func linear(_ x: Tensor, _ name: String) throws(Failure) -> Tensor {
        let shape = try files.stored(name).shape
        let y = Tensor(rows: x.rows, columns: shape[0])
        guard shape[0] > 0 else { return y }
        multiply(
            x.factor, Tensor(try files.read(name), rows: shape[0], columns: shape[1]).transposed,
            into: .float32(y))
        return y
    }

    /// The norm of queries or keys, in place: of each head if its weight is as long as one, else of all together. Nothing where
    /// the files have no such weight.
    private func normalizeGroups(_ x: Tensor, _ name: String) throws(Failure) {
        guard files.tensors[name] != nil else { return }
        let size = try files.stored(name).count
        for start in stride(from: 0, to: x.columns, by: size) {
            let group = x.columns(start..<start + size), normalized = try norm(group, name)
            for t in 0..<x.rows { for c in 0..<size { group[t, c] = normalized[t, c] } }
        }
    }

    private func norm(_ x: Tensor, _ name: String) throws(Failure) -> Tensor {
        let weight = try files.read(name), y = Tensor(rows: x.rows, columns: x.columns)
        for t in 0..<x.rows {
            var squares = 0.0
            for c in 0..<x.columns { squares += Double(x[t, c]) * Double(x[t, c]) }
            let scale = 1 / (squares / Double(x.columns) + configuration.model.normEpsilon).squareRoot()
            for c in 0..<x.columns { y[t, c] = Float(Double(x[t, c]) * scale) * weight[c] }
        }
        return y
    }

    private func add(_ x: Tensor, to y: Tensor) {
        for t in 0..<x.rows { for c in 0..<x.columns { y[t, c] += x[t, c] } }
    }

    private func attention(_ h: Tensor, _ name: String) throws(Failure) -> Tensor {
        let q = try projection(h, "\(name).q_proj"), k = try projection(h, "\(name).k_proj")
        let v = try projection(h, "\(name).v_proj"), settings = configuration.model.attention
        try normalizeGroups(q, "\(name).q_norm.weight")
        try normalizeGroups(k, "\(name).k_norm.weight")
        rotate(q)
        rotate(k)
        let y = Tensor(rows: h.rows, columns: q.columns), n = tokens.length, size = settings.headSize
        let scores = Tensor(rows: n, columns: n)
        for start in stride(from: 0, to: h.rows, by: n) {
            for head in 0..<settings.heads {
                let shared = head / (settings.heads / settings.keyValueHeads)
                func part(_ x: Tensor, _ head: Int) -> Tensor {
                    x.rows(start..<start + n).columns(head * size..<(head + 1) * size)
                }
                multiply(part(q, head).factor, part(k, shared).transposed, into: .float32(scores))
                let scale = 1 / Float(size).squareRoot()
                for row in 0..<n { for column in 0...row { scores[row, column] *= scale } }
                for row in 0..<n { softmax(scores, row: row, first: row + 1) }
                multiply(scores.factor, part(v, shared).factor, into: .float32(part(y, head)))
            }
        }
        return try projection(y, "\(name).o_proj")
    }

    /// `rotate_half`: the second half of a head, negated, is the first half's partner; in Ernie 4.5 every second number the
    /// one's before it.
    private func rotate(_ x: Tensor) {
        let size = configuration.model.attention.headSize
        let (step, partner) = configuration.huggingFaceClass.turnsNeighbors ? (2, 1) : (1, size / 2)
        let positions = ReferencePositions(configuration.model.rotary, headSize: size)
        for t in 0..<x.rows {
            for i in 0..<size / 2 {
                let angle = Double(t % tokens.length) * positions.inverseFrequencies[i]
                let cosine = Float(cos(angle) * positions.attentionFactor)
                let sine = Float(sin(angle) * positions.attentionFactor)
                for start in stride(from: 0, to: x.columns, by: size) {
                    let first = start + i * step, second = first + partner
                    let a = x[t, first], b = x[t, second]
                    x[t, first] = a * cosine - b * sine
                    x[t, second] = b * cosine + a * sine
                }
            }
        }
    }

    /// Over the first columns of a row; the others become zero.
    private func softmax(_ x: Tensor, row: Int, first: Int) {
        var top = -Float.infinity, total = 0.0
        for c in 0..<first { top = max(top, x[row, c]) }
        for c in 0..<first { total += exp(Double(x[row, c] - top)) }
        for c in 0..<x.columns { x[row, c] = c < first ? Float(exp(Double(x[row, c] - top)) / total) : 0 }
    }

    /// `down(silu(gate·x) · (up·x))`
    func gated(
        _ h: Tensor, _ name: String, names: FeedForwardNames = FeedForwardNames()
    ) throws(Failure) -> Tensor {
        let gate = try linear(h, "\(name).\(names.gate).weight"), up = try linear(h, "\(name).\(names.up).weight")
        for t in 0..<gate.rows { for c in 0..<gate.columns { gate[t, c] *= up[t, c] / (1 + exp(-gate[t, c])) } }
        return try linear(gate, "\(name).\(names.down).weight")
    }

    /// Whether the files have a router in a layer: a dense one has none.
    func hasRouter(_ name: String) -> Bool { files.tensors["\(name).gate.weight"] != nil }

    /// Experts chosen by a router and `shared_experts`, where the files have them, or a dense layer.
    /// - Parameter correction: as `routed` has it
    func routedAndShared(_ h: Tensor, _ name: String, correction: String? = nil) throws(Failure) -> Tensor {
        guard hasRouter(name) else { return try gated(h, name) }
        let y = try routed(h, name, correction: correction)
        if files.tensors["\(name).shared_experts.down_proj.weight"] != nil {
            add(try gated(h, "\(name).shared_experts"), to: y)
        }
        return y
    }

    /// The weighted sum of what the experts chosen by a softmax of `name.gate` compute.
    /// - Parameters:
    ///   - correction: the tensor that is added to the probabilities for the choice alone
    ///   - names: of an expert's matrices
    func routed(
        _ h: Tensor, _ name: String, correction: String? = nil, names: FeedForwardNames = FeedForwardNames()
    ) throws(Failure) -> Tensor {
        let weights = try linear(h, "\(name).gate.weight"), y = Tensor(rows: h.rows, columns: d)
        let bias = try correction.map { name throws(Failure) in try files.read(name) } ?? Vector(count: weights.columns)
        let chosen = (0..<h.rows).map { choose(weights, row: $0, bias) }
        for expert in 0..<weights.columns {
            let rows = (0..<h.rows).filter { chosen[$0].contains(expert) }
            guard !rows.isEmpty else { continue }
            let mine = Tensor(rows: rows.count, columns: d)
            for (i, t) in rows.enumerated() { for c in 0..<d { mine[i, c] = h[t, c] } }
            let answer = try gated(mine, "\(name).experts.\(expert)", names: names)
            for (i, t) in rows.enumerated() { for c in 0..<d { y[t, c] += weights[t, expert] * answer[i, c] } }
        }
        return y
    }

    /// Turns a row of router logits into weights; returns the experts with the `num_experts_per_tok` largest, the bias added.
    private func choose(_ weights: Tensor, row: Int, _ bias: Vector<Float>) -> [Int] {
        softmax(weights, row: row, first: weights.columns)
        func score(_ expert: Int) -> Float { weights[row, expert] + bias[expert] }
        let order = (0..<weights.columns).sorted { (score($1), $0) < (score($0), $1) }
        let k = configuration.model.expertsPerToken, chosen = Array(order.prefix(k))
        if k < order.count { closestCall = min(closestCall, score(order[k - 1]) - score(order[k])) }
        guard configuration.normalizesGates else { return chosen }
        let total = chosen.reduce(Float(0)) { $0 + weights[row, $1] }
        for expert in chosen { weights[row, expert] /= total }
        return chosen
    }
}
