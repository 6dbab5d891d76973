import Configuration

/// Where a tensor of a Hugging Face model belongs in ours, read from its name.
enum TensorPlacement: Equatable {
    /// As it is.
    case whole(parameter: String)
    /// Transposed, from this column on, of one expert's matrix or of the only one.
    case columns(parameter: String, expert: Int, from: Int)
    /// Likewise, heads in another order: neighbors (2i, 2i + 1) turn together, where ours are (i, i + size/2).
    case interleavedRotary(parameter: String, from: Int)
    /// Must be zeros.
    case bias
    /// Adds nothing if one of its matrices is zeros.
    case sharedExpert(layer: Int, matrix: String)
    /// May hold anything where the shared expert adds nothing.
    case sharedGate
    /// Says which experts are never chosen.
    case correctionBias
    /// Belongs to an expert that is never chosen.
    case unused

    /// - Parameter expectedShape: `[out, in]`, or the length of a vector
    typealias Found = (place: TensorPlacement, expectedShape: [Int])

    /// Nil for a name that the class does not have.
    static func of(_ name: String, in configuration: ImportedConfiguration) -> Found? {
        let model = configuration.model, d = model.dModel
        switch name {
        case "model.embed_tokens.weight": return (.whole(parameter: "embedding"), [model.vocabularySize, d])
        case "model.norm.weight": return (.whole(parameter: "final_norm.weight"), [d])
        case "lm_head.weight" where !model.tieEmbeddings: return (.whole(parameter: "head"), [model.vocabularySize, d])
        default: break
        }
        let words = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard words.count > 3, words[0] == "model", words[1] == "layers", let layer = index(words[2], model.layers)
        else { return nil }
        return ofLayer(layer, Array(words[3...]), configuration)
    }

    /// `7`, never `07` or `+7`: one tensor has one name.
    private static func index(_ word: String, _ count: Int) -> Int? {
        guard let number = Int(word), number >= 0, number < count, String(number) == word else { return nil }
        return number
    }

    private static func ofLayer(_ layer: Int, _ words: [String], _ configuration: ImportedConfiguration) -> Found? {
        let d = configuration.model.dModel, block = "blocks.\(layer)"
        switch words {
        case ["input_layernorm", "weight"]: return (.whole(parameter: "\(block).attention_norm.weight"), [d])
        case ["post_attention_layernorm", "weight"]:
            return (.whole(parameter: "\(block).feed_forward_norm.weight"), [d])
        case ["self_attn", "o_proj", "weight"]:
            return (.columns(parameter: "\(block).attention.output", expert: 0, from: 0), [d, d])
        case _ where words.count == 3 && words[0] == "self_attn":
            guard let part = ["q_proj", "k_proj", "v_proj"].firstIndex(of: words[1]) else { return nil }
            if words[2] == "bias" { return configuration.hasBiases ? (.bias, [d]) : nil }
            guard words[2] == "weight" else { return nil }
            let parameter = "\(block).attention.qkv"
            return configuration.turnsNeighbors && part < 2
                ? (.interleavedRotary(parameter: parameter, from: part * d), [d, d])
                : (.columns(parameter: parameter, expert: 0, from: part * d), [d, d])
        case _ where words.first == "mlp":
            return ofFeedForward(layer, Array(words.dropFirst()), configuration)
        default: return nil
        }
    }

    private static func ofFeedForward(
        _ layer: Int, _ words: [String], _ configuration: ImportedConfiguration
    ) -> Found? {
        let model = configuration.model
        switch configuration.kind {
        case .llama: return ofExpert(0, layer, words, hidden: model.expertHiddenSize, model)
        case .qwen2Moe(let sharedHidden, _):
            return ofRouted(layer, words, slots: model.expertCount(inLayer: layer), model)
                ?? ofShared(layer, words, hidden: sharedHidden, model)
        case .ernie45Moe(let slots):
            if words == ["moe_statics", "e_score_correction_bias"] { return (.correctionBias, [1, slots]) }
            return ofRouted(layer, words, slots: slots, model)
        }
    }

    /// - Parameter slots: experts that the file has, the first of which are the layer's
    private static func ofRouted(_ layer: Int, _ words: [String], slots: Int, _ model: ModelConfiguration) -> Found? {
        if words == ["gate", "weight"] {
            return (.columns(parameter: "blocks.\(layer).router", expert: 0, from: 0), [slots, model.dModel])
        }
        guard words.count == 4, words[0] == "experts", let expert = index(words[1], slots),
            let found = ofExpert(expert, layer, Array(words[2...]), hidden: model.expertHiddenSize, model)
        else { return nil }
        return expert < model.expertCount(inLayer: layer) ? found : (.unused, found.expectedShape)
    }

    private static func ofShared(_ layer: Int, _ words: [String], hidden: Int, _ model: ModelConfiguration) -> Found? {
        switch words.first {
        case "shared_expert_gate" where words == ["shared_expert_gate", "weight"]:
            return (.sharedGate, [1, model.dModel])
        case "shared_expert" where words.count == 3:
            guard let found = ofExpert(0, layer, Array(words[1...]), hidden: hidden, model) else { return nil }
            return (.sharedExpert(layer: layer, matrix: words[1]), found.expectedShape)
        default: return nil
        }
    }

    private static func ofExpert(
        _ expert: Int, _ layer: Int, _ words: [String], hidden: Int, _ model: ModelConfiguration
    ) -> Found? {
        let experts = "blocks.\(layer).experts", d = model.dModel
        switch words {
        case ["gate_proj", "weight"]:
            return (.columns(parameter: "\(experts).gate_up", expert: expert, from: 0), [hidden, d])
        case ["up_proj", "weight"]:
            return (.columns(parameter: "\(experts).gate_up", expert: expert, from: hidden), [hidden, d])
        case ["down_proj", "weight"]:
            return (.columns(parameter: "\(experts).down", expert: expert, from: 0), [d, hidden])
        default: return nil
        }
    }
}

extension ImportedConfiguration {
    var hasBiases: Bool {
        if case .qwen2Moe(_, true) = kind { return true }
        return false
    }

    var turnsNeighbors: Bool {
        if case .ernie45Moe = kind { return true }
        return false
    }
}
