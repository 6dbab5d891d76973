import Configuration

/// What a class holds of models of ours, apart from their sizes.
struct ClassTraits {
    enum Experts {
        /// One in every layer, whose router has no effect.
        case one
        case equallyMany
        case anyNumbers
    }

    var experts: Experts
    /// Whether it divides gates by their sum; nil: as its `config.json` says.
    var normalizesGates: Bool?
    /// The biases of attention that it has, one of them in each model.
    var biases: [AttentionBias] = [.none]
    /// Which parts of queries and keys it normalizes.
    var queryKeyNorm = QueryKeyNormKind.none
    /// Whether its shared experts have a gate; nil: it has none of them.
    var gatesSharedExperts: Bool?
    /// Whether heads are d_model / heads wide.
    var hasHeadsOfModel = false

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
        if model.shared != .none, gatesSharedExperts != model.shared.isGated {
            all.append(
                gatesSharedExperts == nil
                    ? "there are model.shared_experts" : "model.shared_gate is \(model.shared.isGated)")
        }
        return all
    }
}
