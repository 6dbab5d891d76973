package import Configuration

/// The rules by which a router works, as the configuration selects them. A new rule is selected here.
package struct RoutingPolicy: Sendable {
    package let scoring: any RouterScoring
    package let selection: any ExpertSelection
    package let balancing: any LoadBalancing

    /// - Parameter selectionBias: the layer's biases, `[1, experts]`, if the model has them
    package init(_ settings: RoutingConfiguration, selectionBias: ParameterID?) {
        scoring = SoftmaxScores()
        let topK = TopKSelection(normalizeGates: settings.normalizeGates, bias: selectionBias)
        let selection: any ExpertSelection = selectionBias.map { LoadBiasedSelection(topK, bias: $0) } ?? topK
        self.selection = settings.isRoundRobin ? RoundRobinSelection(after: selection) : selection
        balancing = AuxiliaryLoss(weight: settings.loadBalanceWeight)
    }
}
