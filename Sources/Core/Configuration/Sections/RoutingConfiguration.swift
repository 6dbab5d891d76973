package import Diagnostics

/// How tokens find experts.
package struct RoutingConfiguration: Sendable, Equatable {
    package var capacityFactor: CapacityFactor
    /// nil: evaluation drops nothing.
    package var evaluationCapacityFactor: CapacityFactor?
    package var loadBalanceWeight: Double
    package var zLossWeight: Double
    /// Whether a token's gates are divided by their sum.
    package var normalizeGates: Bool
    /// Benchmarks only: tokens go to the experts in turn, whatever the router says, so that every expert gets its share.
    package var isRoundRobin = false

    package init(
        capacityFactor: CapacityFactor, evaluationCapacityFactor: CapacityFactor? = nil, loadBalanceWeight: Double,
        zLossWeight: Double, normalizeGates: Bool
    ) {
        self.capacityFactor = capacityFactor
        self.evaluationCapacityFactor = evaluationCapacityFactor
        self.loadBalanceWeight = loadBalanceWeight
        self.zLossWeight = zLossWeight
        self.normalizeGates = normalizeGates
    }

    package init(reading section: ConfigurationSection) throws(Failure) {
        capacityFactor = CapacityFactor(try section.number("capacity_factor", default: 1.25, in: 0.01...1e4))
        evaluationCapacityFactor = try section.number(
            "evaluation_capacity_factor", or: "dropless", in: 0.01...1e4
        ).map(CapacityFactor.init)
        loadBalanceWeight = try section.number("load_balance_weight", default: 0.01, in: 0...1e3)
        zLossWeight = try section.number("z_loss_weight", default: 0.001, in: 0...1e3)
        normalizeGates = try section.boolean("normalize_gates", default: false)
    }
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
