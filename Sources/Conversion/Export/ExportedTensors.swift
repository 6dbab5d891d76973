import Layers

/// One tensor of an export and where its numbers come from.
struct ExportedTensor {
    enum Origin {
        /// A parameter as it is stored.
        case whole(String)
        /// Columns of a matrix `[in, out]`, of one expert's if there are several, as `[out, in]`.
        case transposed(String, expert: Int?, columns: Range<Int>)
        case constant(Float)
    }

    var entry: SafetensorsEntry
    var origin: Origin

    init(_ name: String, _ shape: [Int], _ origin: Origin) {
        entry = SafetensorsEntry(name: name, shape: shape)
        self.origin = origin
    }
}

/// Every tensor of an export, in the order of the model: embedding, layers, final norm, head.
func exportedTensors(_ model: ModelSettings, as modelClass: ModelClass) -> [ExportedTensor] {
    let d = model.dModel, vocabulary = model.vocabularySize
    var all = [ExportedTensor("model.embed_tokens.weight", [vocabulary, d], .whole("embedding"))]
    for layer in 0..<model.layers {
        all += attentionTensors(layer, d, hasBiases: modelClass == .qwen2Moe(.portable))
        switch modelClass {
        case .llama:
            all += expertTensors("model.layers.\(layer).mlp", layer, 0, model)
        case .qwen2Moe(let profile):
            let router = "blocks.\(layer).router", experts = model.expertCount
            all.append(
                ExportedTensor(
                    "model.layers.\(layer).mlp.gate.weight", [experts, d],
                    .transposed(router, expert: nil, columns: 0..<experts)))
            for expert in 0..<experts {
                all += expertTensors("model.layers.\(layer).mlp.experts.\(expert)", layer, expert, model)
            }
            all += neutralSharedExpert(layer, d, hidden: profile.sharedHidden)
        }
    }
    all.append(ExportedTensor("model.norm.weight", [d], .whole("final_norm.weight")))
    if !model.tieEmbeddings { all.append(ExportedTensor("lm_head.weight", [vocabulary, d], .whole("head"))) }
    return all
}

private func attentionTensors(_ layer: Int, _ d: Int, hasBiases: Bool) -> [ExportedTensor] {
    let block = "blocks.\(layer)", there = "model.layers.\(layer)"
    var all = [
        ExportedTensor("\(there).input_layernorm.weight", [d], .whole("\(block).attention_norm.weight")),
        ExportedTensor("\(there).post_attention_layernorm.weight", [d], .whole("\(block).feed_forward_norm.weight")),
        ExportedTensor(
            "\(there).self_attn.o_proj.weight", [d, d],
            .transposed("\(block).attention.output", expert: nil, columns: 0..<d)),
    ]
    for (index, letter) in ["q", "k", "v"].enumerated() {
        all.append(
            ExportedTensor(
                "\(there).self_attn.\(letter)_proj.weight", [d, d],
                .transposed("\(block).attention.qkv", expert: nil, columns: index * d..<(index + 1) * d)))
        if hasBiases { all.append(ExportedTensor("\(there).self_attn.\(letter)_proj.bias", [d], .constant(0))) }
    }
    return all
}

private func expertTensors(_ name: String, _ layer: Int, _ expert: Int, _ model: ModelSettings) -> [ExportedTensor] {
    let d = model.dModel, hidden = model.expertHidden
    let gateUp = "blocks.\(layer).experts.gate_up", down = "blocks.\(layer).experts.down"
    return [
        ExportedTensor(
            "\(name).gate_proj.weight", [hidden, d], .transposed(gateUp, expert: expert, columns: 0..<hidden)),
        ExportedTensor(
            "\(name).up_proj.weight", [hidden, d], .transposed(gateUp, expert: expert, columns: hidden..<2 * hidden)),
        ExportedTensor("\(name).down_proj.weight", [d, hidden], .transposed(down, expert: expert, columns: 0..<d)),
    ]
}

/// The class adds `sigmoid(gate·x) · shared(x)`: zeros make it nothing. The gate is ones, because llama.cpp computes a
/// sigmoid as silu(x) / x, which at a gate of zeros is no number.
private func neutralSharedExpert(_ layer: Int, _ d: Int, hidden: Int) -> [ExportedTensor] {
    let name = "model.layers.\(layer).mlp"
    return [
        ExportedTensor("\(name).shared_expert.gate_proj.weight", [hidden, d], .constant(0)),
        ExportedTensor("\(name).shared_expert.up_proj.weight", [hidden, d], .constant(0)),
        ExportedTensor("\(name).shared_expert.down_proj.weight", [d, hidden], .constant(0)),
        ExportedTensor("\(name).shared_expert_gate.weight", [1, d], .constant(1)),
    ]
}
