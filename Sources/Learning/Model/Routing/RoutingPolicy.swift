package import Configuration

/// The rules by which a router works, as the configuration selects them. A new rule is selected here.
package struct RoutingPolicy: Sendable {
    package let scoring: any RouterScoring
    package let selection: any ExpertSelection
    package let balancing: any LoadBalancing

    /// - Parameters:
    ///   - settings: which rules
    ///   - layers: of the model
    ///   - state: of the layer, `[1, experts]`, if the rule has one
    package init(_ settings: RoutingConfiguration, layers: Int, state: ParameterID?) {
        scoring = SoftmaxScores()
        let selection: any ExpertSelection =
            switch (settings.balancing, state) {
            case (.bias, let state?): LoadBiasedSelection(normalizeGates: settings.normalizeGates, bias: state)
            default: TopKSelection(normalizeGates: settings.normalizeGates)
            }
        self.selection = settings.isRoundRobin ? RoundRobinSelection(after: selection) : selection
        balancing = AuxiliaryLoss(weight: settings.weights(layers: layers).loadBalance)
    }

    /// What becomes of the rule's state after a step; nil if it has none.
    package static func state(_ settings: RoutingConfiguration) -> (any RouterState)? {
        switch settings.balancing {
        case .loss: nil
        case .bias: LoadBias(rate: settings.biasUpdateRate)
        }
    }
}
