package import Diagnostics

/// What keeps the load of the experts even.
package enum LoadBalancingKind: String, CaseIterable, Sendable {
    /// A term of the loss.
    case loss
    /// Biases of the experts' scores, which follow the load.
    case bias

    /// The tensor of a layer in which the rule keeps a number for every expert, behind `blocks.N.`; nil if it keeps none.
    package var state: String? {
        switch self {
        case .loss: nil
        case .bias: "router_bias"
        }
    }
}

/// How the balancing losses of the layers become one number.
package enum LayerReduction: String, CaseIterable, Sendable { case sum, mean }

/// How tokens find experts.
package struct RoutingConfiguration: Sendable, Equatable {
    package var capacityFactor: CapacityFactor
    /// nil: evaluation drops nothing.
    package var evaluationCapacityFactor: CapacityFactor?
    package var balancing: LoadBalancingKind
    package var loadBalanceWeight: Double
    package var zLossWeight: Double
    package var layerLosses = LayerReduction.sum
    /// Whether a token's gates are divided by their sum.
    package var normalizeGates: Bool
    /// By how much a step moves the bias of an expert that gets more or less than its share.
    package var biasUpdateRate: Double
    /// Benchmarks only: tokens go to the experts in turn, whatever the router says, so that every expert gets its share.
    package var isRoundRobin = false

    package init(
        capacityFactor: CapacityFactor, evaluationCapacityFactor: CapacityFactor? = nil,
        balancing: LoadBalancingKind = .loss, loadBalanceWeight: Double,
        zLossWeight: Double, normalizeGates: Bool, biasUpdateRate: Double = defaultBiasUpdateRate
    ) {
        self.capacityFactor = capacityFactor
        self.evaluationCapacityFactor = evaluationCapacityFactor
        self.balancing = balancing
        self.loadBalanceWeight = loadBalanceWeight
        self.zLossWeight = zLossWeight
        self.normalizeGates = normalizeGates
        self.biasUpdateRate = biasUpdateRate
    }

    package init(reading section: ConfigurationSection) throws(Failure) {
        capacityFactor = CapacityFactor(try section.number("capacity_factor", default: 1.25, in: 0.01...1e4))
        evaluationCapacityFactor = try section.number(
            "evaluation_capacity_factor", or: "dropless", in: 0.01...1e4
        ).map(CapacityFactor.init)
        balancing = try section.choice("balancing", default: .loss)
        loadBalanceWeight = try section.number(
            "load_balance_weight", default: balancing == .loss ? 0.01 : 0, in: 0...1e3)
        zLossWeight = try section.number("z_loss_weight", default: 0.001, in: 0...1e3)
        layerLosses = try section.choice("layer_losses", default: .sum)
        normalizeGates = try section.boolean("normalize_gates", default: false)
        biasUpdateRate = try section.number("bias_update_rate", default: Self.defaultBiasUpdateRate, in: 0...1)
    }

    /// The weights of the balancing losses in a loss that adds up those of `layers` layers.
    package func weights(layers: Int) -> (loadBalance: Double, z: Double) {
        let share = layerLosses == .sum ? 1 : 1 / Double(layers)
        return (loadBalanceWeight * share, zLossWeight * share)
    }

    /// Wang et al. (arXiv:2408.15664), section 4.2.
    static let defaultBiasUpdateRate = 0.001
}

/// The capacity factor as a whole number of millionths, because ⌈1.1·100/2⌉ is 56 in doubles.
package struct CapacityFactor: Sendable, Equatable {
    package let millionths: Int

    package init(_ value: Double) { millionths = Int((value * 1e6).rounded()) }

    /// Slots each expert has for one micro-batch: `⌈factor · tokens · k / experts⌉`, and no more than there are tokens, since a
    /// token goes to an expert once at most. Fedus et al., "Switch Transformers" (arXiv:2101.03961), equation 3.
    package func capacity(tokens: Int, expertsPerToken: Int, experts: Int) -> Int {
        let (whole, part) = (millionths / 1_000_000, millionths % 1_000_000)
        let assignments = tokens * expertsPerToken
        // At a factor of `experts / expertsPerToken` or more, every token has a slot with every expert it chooses.
        guard Double(millionths) * Double(expertsPerToken) < Double(experts) * 1e6 else { return tokens }
        let numerator = whole * assignments * 1_000_000 + part * assignments
        let divisor = experts * 1_000_000
        return min(tokens, (numerator + divisor - 1) / divisor)
    }
}
