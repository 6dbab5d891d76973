import Configuration
import Diagnostics

// Tensors that several classes have under the same names.

func embeddingTensor(_ model: ModelShape) -> ClassTensor {
    ClassTensor("model.embed_tokens.weight", [model.vocabularySize, model.dModel], .whole("embedding"))
}

/// The final norm, and the head where it is no part of the embedding.
func finalTensors(_ model: ModelShape) -> [ClassTensor] {
    let norm = ClassTensor("model.norm.weight", [model.dModel], .whole("final_norm.weight"))
    guard !model.tieEmbeddings else { return [norm] }
    return [norm, ClassTensor("lm_head.weight", [model.vocabularySize, model.dModel], .whole("head"))]
}

/// The norms and the attention of a layer.
/// - Parameters:
///   - order: of the rows of the query and key projections
///   - hasZeroBiases: whether query, key and value projections have biases although the model has none: zeros
func attentionTensors(
    _ layer: Int, _ model: ModelShape, order: ClassTensor.RowOrder = .asStored, hasZeroBiases: Bool = false
) -> [ClassTensor] {
    let d = model.dModel, block = "blocks.\(layer)", there = "model.layers.\(layer)", attention = model.attention
    var all = [
        ClassTensor("\(there).input_layernorm.weight", [d], .whole("\(block).attention_norm.weight")),
        ClassTensor("\(there).post_attention_layernorm.weight", [d], .whole("\(block).feed_forward_norm.weight")),
        ClassTensor(
            "\(there).self_attn.o_proj.weight", [d, attention.queryWidth],
            .transposed("\(block).attention.output", expert: nil, columns: 0..<d)),
    ]
    if attention.bias == .all {
        all.append(ClassTensor("\(there).self_attn.o_proj.bias", [d], .whole("\(block).attention.output_bias")))
    }
    if attention.queryKeyNorm != .none {
        let widths = attention.normWidths
        for (there, ours, width) in [("q_norm", "query_norm", widths.queries), ("k_norm", "key_norm", widths.keys)] {
            all.append(
                ClassTensor(
                    "model.layers.\(layer).self_attn.\(there).weight", [width],
                    .whole("\(block).attention.\(ours).weight")))
        }
    }
    let keys = attention.queryWidth, values = keys + attention.keyValueWidth
    for (letter, columns) in [("q", 0..<keys), ("k", keys..<values), ("v", values..<attention.projectedWidth)] {
        let name = "\(there).self_attn.\(letter)_proj", rows = letter == "v" ? .asStored : order
        func part(_ parameter: String) -> ClassTensor.Contents {
            .transposed("\(block).attention.\(parameter)", expert: nil, columns: columns, order: rows)
        }
        all.append(ClassTensor("\(name).weight", [columns.count, d], part("qkv")))
        if attention.bias != .none {
            all.append(ClassTensor("\(name).bias", [columns.count], part("qkv_bias")))
        } else if hasZeroBiases {
            let zeros = ClassTensor.Contents.filler(.constant(0), accepting: .zeros(feature: "biases"))
            all.append(ClassTensor("\(name).bias", [columns.count], zeros))
        }
    }
    return all
}

/// Whether the query, key and value projections of all layers have biases of zeros, so that the model is one without.
func biasesAreZero(_ model: ModelShape, in files: WeightFiles) throws(Failure) -> Bool {
    for layer in 0..<model.layers {
        for letter in ["q", "k", "v"] {
            let name = "model.layers.\(layer).self_attn.\(letter)_proj.bias"
            guard files.tensors[name] != nil, try files.isZero(name) else { return false }
        }
    }
    return true
}

/// A router and `slots` experts: the layer's, and zeros in place of those that it does not have and never chooses.
///
/// A missing expert's row of the router is another's, so that a softmax loses no digits to it.
func routedTensors(_ layer: Int, _ model: ModelShape, slots: Int) -> [ClassTensor] {
    let name = "model.layers.\(layer).mlp", experts = model.expertCount(inLayer: layer)
    let router = ClassTensor(
        "\(name).gate.weight", [slots, model.dModel],
        .transposed(
            "blocks.\(layer).router", expert: nil, columns: 0..<experts,
            order: slots == experts ? .asStored : .padded(rows: slots)))
    return [router]
        + (0..<slots).flatMap { slot in
            let tensors = expertTensors("\(name).experts.\(slot)", layer, slot, model)
            guard slot >= experts else { return tensors }
            return tensors.map {
                ClassTensor($0.entry.name, $0.entry.shape, .filler(.constant(0), accepting: .finite))
            }
        }
}

/// The feed-forward of a dense layer.
func denseTensors(_ name: String, _ layer: Int, _ model: ModelShape) -> [ClassTensor] {
    feedForwardTensors(name, "blocks.\(layer).feed_forward", hidden: model.dense.hiddenSize, model)
}

/// The shared experts of a layer, where the model has some.
func sharedTensors(_ name: String, _ layer: Int, _ model: ModelShape) -> [ClassTensor] {
    guard model.shared != .none else { return [] }
    return feedForwardTensors(name, "blocks.\(layer).shared_experts", hidden: model.shared.hiddenSize, model)
}

/// What a class calls the three matrices of a SwiGLU.
struct FeedForwardNames {
    var gate = "gate_proj"
    var up = "up_proj"
    var down = "down_proj"
}

/// - Parameters:
///   - name: of the expert's three matrices, without their own names
///   - names: their own
func expertTensors(
    _ name: String, _ layer: Int, _ expert: Int, _ model: ModelShape, names: FeedForwardNames = FeedForwardNames()
) -> [ClassTensor] {
    feedForwardTensors(name, "blocks.\(layer).experts", expert: expert, hidden: model.expertHiddenSize, model, names)
}

/// - Parameters:
///   - name: of the three matrices, without their own names
///   - parameters: the prefix of ours
///   - expert: which matrix of ours, where there are several
///   - names: their own
func feedForwardTensors(
    _ name: String, _ parameters: String, expert: Int? = nil, hidden: Int, _ model: ModelShape,
    _ names: FeedForwardNames = FeedForwardNames()
) -> [ClassTensor] {
    let d = model.dModel, gateUp = "\(parameters).gate_up", down = "\(parameters).down"
    return [
        ClassTensor(
            "\(name).\(names.gate).weight", [hidden, d], .transposed(gateUp, expert: expert, columns: 0..<hidden)),
        ClassTensor(
            "\(name).\(names.up).weight", [hidden, d], .transposed(gateUp, expert: expert, columns: hidden..<2 * hidden)
        ),
        ClassTensor("\(name).\(names.down).weight", [d, hidden], .transposed(down, expert: expert, columns: 0..<d)),
    ]
}
