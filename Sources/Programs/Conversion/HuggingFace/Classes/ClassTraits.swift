import Configuration

/// What a class holds of models of ours, apart from their sizes.
struct ClassTraits {
    enum Experts {
        /// One in every layer, whose router has no effect.
        case one
        case equallyMany
        case anyNumbers
    }

    /// Which layers may be dense, those without experts.
    enum DenseLayers: String {
        case none = "none"
        case first = "the first ones"
        case outside = "all before a layer and all after another"
        case any = "any"
    }

    var experts: Experts
    var denseLayers = DenseLayers.none
    /// Whether it divides gates by their sum; nil: as its `config.json` says.
    var normalizesGates: Bool?
    /// The biases of attention that it has, one of them in each model.
    var biases: [AttentionBias] = [.none]
    /// Which parts of queries and keys it normalizes.
    var queryKeyNorm = QueryKeyNormKind.none
    /// Whether its shared experts have a gate; nil: it has none of them.
    var gatesSharedExperts: Bool?
    /// Whether those are as many hidden units as a number of its experts.
    var sharesWholeExperts = false
    /// Whether heads are d_model / heads wide.
    var hasHeadsOfModel = false
    /// Whether it is without scaled positions.
    var hasPlainPositions = false
    /// Whether the gate of a token's only expert is never divided by itself.
    var leavesOneGate = false

    /// What keeps the class from holding a model, each with the setting that asks for it; none if it holds the model exactly.
    func obstacles(_ model: ModelShape, _ routing: RoutingConfiguration) -> [String] {
        ofAttention(model) + ofFeedForward(model, routing)
    }

    private func ofAttention(_ model: ModelShape) -> [String] {
        let attention = model.attention
        var all: [String] = []
        if !biases.contains(attention.bias) {
            all.append(
                "model.attention_bias is `\(attention.bias.rawValue)`, not "
                    + biases.map { "`\($0.rawValue)`" }.joined(separator: " or "))
        }
        if queryKeyNorm != attention.queryKeyNorm {
            all.append("model.qk_norm is `\(attention.queryKeyNorm.rawValue)`, not `\(queryKeyNorm.rawValue)`")
        }
        if hasHeadsOfModel, attention.queryWidth != model.dModel {
            all.append(
                "model.heads × model.head_size is \(attention.queryWidth), not model.d_model (\(model.dModel))")
        }
        if hasPlainPositions, model.rotary.scaling != .none {
            all.append("model.rope_scaling is `\(model.rotary.scaling.rawValue)`, not `none`")
        }
        return all
    }

    private func ofFeedForward(_ model: ModelShape, _ routing: RoutingConfiguration) -> [String] {
        var all: [String] = []
        switch experts {
        case .one where !model.isDense: all.append("model.experts is \(model.experts), not 1")
        case .equallyMany where model.experts.uniform == nil:
            all.append("model.experts is \(model.experts), not the same in every layer")
        default: break
        }
        if let normalizesGates, !model.isDense, routing.normalizeGates != normalizesGates {
            all.append("routing.normalize_gates is \(routing.normalizeGates), not \(normalizesGates)")
        }
        if leavesOneGate, model.expertsPerToken == 1, !model.isDense, routing.normalizeGates {
            all.append("routing.normalize_gates is true, with one expert a token")
        }
        if !holdsDenseLayers(of: model) {
            all.append("model.dense_layers is \(model.dense.description); it can have \(denseLayers.rawValue)")
        }
        return all + ofSharedExperts(model)
    }

    private func holdsDenseLayers(of model: ModelShape) -> Bool {
        let routed = (0..<model.layers).filter(model.isRouted), first = routed.first ?? 0, last = routed.last ?? 0
        switch denseLayers {
        case .none: return model.dense == .none
        case .first: return model.dense.layers == Set(0..<model.dense.layers.count)
        case .outside: return routed == Array(first...last)
        case .any: return true
        }
    }

    private func ofSharedExperts(_ model: ModelShape) -> [String] {
        var all: [String] = []
        if model.shared != .none, gatesSharedExperts != model.shared.isGated {
            all.append(
                gatesSharedExperts == nil
                    ? "there are model.shared_experts" : "model.shared_gate is \(model.shared.isGated)")
        }
        if sharesWholeExperts, !model.shared.hiddenSize.isMultiple(of: model.expertHiddenSize) {
            all.append(
                "model.shared_hidden_size is \(model.shared.hiddenSize), no multiple of an expert's "
                    + "(\(model.expertHiddenSize))")
        }
        return all
    }
}
