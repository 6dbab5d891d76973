import Layers

/// Where a tensor of a Hugging Face model belongs in ours, read from its name.
enum TensorPlace: Equatable {
    /// As it is.
    case whole(parameter: String)
    /// Transposed, from this column on, of one expert's matrix or of the only one.
    case columns(parameter: String, expert: Int, from: Int)
    /// Must be zeros.
    case bias
    /// Adds nothing if one of its matrices is zeros.
    case sharedExpert(layer: Int, matrix: String)
    /// May hold anything where the shared expert adds nothing.
    case sharedGate

    /// - Parameter expectedShape: `[out, in]`, or the length of a vector
    typealias Found = (place: TensorPlace, expectedShape: [Int])

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
            return (.columns(parameter: "\(block).attention.qkv", expert: 0, from: part * d), [d, d])
        case _ where words.first == "mlp":
            return ofFeedForward(layer, Array(words.dropFirst()), configuration)
        default: return nil
        }
    }

    private static func ofFeedForward(
        _ layer: Int, _ words: [String], _ configuration: ImportedConfiguration
    ) -> Found? {
        let model = configuration.model
        guard case .qwen2Moe(let sharedHidden, _) = configuration.kind else {
            return ofExpert(0, layer, words, hidden: model.expertHidden, model)
        }
        switch words.first {
        case "gate" where words == ["gate", "weight"]:
            return (
                .columns(parameter: "blocks.\(layer).router", expert: 0, from: 0), [model.expertCount, model.dModel]
            )
        case "experts" where words.count == 4:
            guard let expert = index(words[1], model.expertCount) else { return nil }
            return ofExpert(expert, layer, Array(words[2...]), hidden: model.expertHidden, model)
        case "shared_expert_gate" where words == ["shared_expert_gate", "weight"]:
            return (.sharedGate, [1, model.dModel])
        case "shared_expert" where words.count == 3:
            guard let found = ofExpert(0, layer, Array(words[1...]), hidden: sharedHidden, model) else { return nil }
            return (.sharedExpert(layer: layer, matrix: words[1]), found.expectedShape)
        default: return nil
        }
    }

    private static func ofExpert(
        _ expert: Int, _ layer: Int, _ words: [String], hidden: Int, _ model: ModelSettings
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
}
