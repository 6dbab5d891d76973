import Configuration
import Training

/// One tensor of an export and where its numbers come from.
struct ExportedTensor {
    enum Origin {
        /// A parameter as it is stored.
        case whole(String)
        /// Columns of a matrix `[in, out]`, of one expert's if there are several, as `[out, in]`.
        case transposed(String, expert: Int?, columns: Range<Int>, order: RowOrder = .asStored)
        case constant(Float)
        case numbers([Float])
    }

    /// Which column of ours becomes which row.
    enum RowOrder {
        case asStored
        /// For positions that turn neighbors (2i, 2i + 1) of a head, where ours turn (i, i + size/2).
        case interleavedRotary(headSize: Int)
        /// The last column again and again, up to so many rows.
        case padded(rows: Int)

        func list(_ columns: Range<Int>) -> [Int] {
            switch self {
            case .asStored: return Array(columns)
            case .padded(let rows): return (0..<rows).map { columns.lowerBound + min($0, columns.count - 1) }
            case .interleavedRotary(let size):
                return columns.indices.map { row in
                    let place = (row - columns.lowerBound) % size
                    return row - place + place / 2 + place % 2 * (size / 2)
                }
            }
        }
    }

    var entry: SafetensorsEntry
    var origin: Origin

    init(_ name: String, _ shape: [Int], _ origin: Origin) {
        entry = SafetensorsEntry(name: name, shape: shape)
        self.origin = origin
    }
}

/// Every tensor of an export, in the order of the model: embedding, layers, final norm, head.
func exportedTensors(_ model: ModelConfiguration, as modelClass: ModelClass) -> [ExportedTensor] {
    let d = model.dModel, vocabulary = model.vocabularySize
    var all = [ExportedTensor("model.embed_tokens.weight", [vocabulary, d], .whole("embedding"))]
    for layer in 0..<model.layers {
        all += attentionTensors(layer, model, modelClass)
        switch modelClass {
        case .llama:
            all += expertTensors("model.layers.\(layer).mlp", layer, 0, model)
        case .qwen2Moe(let profile):
            all += routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
            all += neutralSharedExpert(layer, d, hidden: profile.sharedHidden)
        case .ernie45Moe:
            let slots = model.expertCounts.max() ?? 1
            all += routedTensors(layer, model, slots: slots)
            all.append(correctionBias(layer, experts: model.expertCount(inLayer: layer), slots: slots))
        }
    }
    all.append(ExportedTensor("model.norm.weight", [d], .whole("final_norm.weight")))
    if !model.tieEmbeddings { all.append(ExportedTensor("lm_head.weight", [vocabulary, d], .whole("head"))) }
    return all
}

private func attentionTensors(_ layer: Int, _ model: ModelConfiguration, _ modelClass: ModelClass) -> [ExportedTensor] {
    let d = model.dModel, hasBiases = modelClass == .qwen2Moe(.portable)
    let turned: ExportedTensor.RowOrder =
        modelClass == .ernie45Moe ? .interleavedRotary(headSize: model.headSize) : .asStored
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
                .transposed(
                    "\(block).attention.qkv", expert: nil, columns: index * d..<(index + 1) * d,
                    order: letter == "v" ? .asStored : turned)))
        if hasBiases { all.append(ExportedTensor("\(there).self_attn.\(letter)_proj.bias", [d], .constant(0))) }
    }
    return all
}

/// A router and `slots` experts: the layer's, and zeros in place of those that it does not have.
///
/// A missing expert's row of the router is another's, so that a softmax loses no digits to it.
private func routedTensors(_ layer: Int, _ model: ModelConfiguration, slots: Int) -> [ExportedTensor] {
    let name = "model.layers.\(layer).mlp", experts = model.expertCount(inLayer: layer)
    let router = ExportedTensor(
        "\(name).gate.weight", [slots, model.dModel],
        .transposed(
            "blocks.\(layer).router", expert: nil, columns: 0..<experts,
            order: slots == experts ? .asStored : .padded(rows: slots)))
    return [router]
        + (0..<slots).flatMap { slot in
            let tensors = expertTensors("\(name).experts.\(slot)", layer, slot, model)
            return slot < experts
                ? tensors : tensors.map { ExportedTensor($0.entry.name, $0.entry.shape, .constant(0)) }
        }
}

/// What is added to the probabilities, which lie between 0 and 1, before the largest are chosen.
private func correctionBias(_ layer: Int, experts: Int, slots: Int) -> ExportedTensor {
    ExportedTensor(
        "model.layers.\(layer).mlp.moe_statics.e_score_correction_bias", [1, slots],
        .numbers((0..<slots).map { $0 < experts ? 0 : -2 }))
}

private func expertTensors(_ name: String, _ layer: Int, _ expert: Int, _ model: ModelConfiguration) -> [ExportedTensor]
{
    let d = model.dModel, hidden = model.expertHiddenSize
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
