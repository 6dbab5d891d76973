package import Configuration

/// The rules by which a router works, as the configuration selects them. A new rule is selected here.
package struct RoutingPolicy: Sendable {
    package let scoring: any RouterScoring
    package let selection: any ExpertSelection
    package let balancing: any LoadBalancing

    package init(_ settings: RoutingConfiguration) {
        scoring = SoftmaxScores()
        let selection = TopKSelection(normalizeGates: settings.normalizeGates)
        self.selection = settings.isRoundRobin ? RoundRobinSelection(after: selection) : selection
        balancing = AuxiliaryLoss(weight: settings.loadBalanceWeight)
    }
}
