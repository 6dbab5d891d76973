package import Configuration

/// How many parameters a model has and how much arithmetic a token costs.
package struct ModelCost: Sendable {
    package let totalParameters: Int
    /// Parameters that one token meets: all but the experts it does not go to. The joint study's N_act
    /// (arXiv:2502.05172), router and norms included.
    package let activeParameters: Int
    /// Of forward and backward, dropped tokens not deducted: 6 per active matrix parameter (the embedding is looked up,
    /// not multiplied), 12·heads·headSize per causal pair of positions and layer.
    package let flopsPerToken: Double
    /// The part of `flopsPerToken` that experts do: what dropped assignments save.
    package let expertFlopsPerToken: Double
    /// Of one pair of a token and one that it sees, in all layers.
    private let flopsPerPair: Double
    /// Tokens that one sees on average, where it sees all of its sequence before it.
    private let causalPairs: Double

    package init(_ model: ModelShape) {
        let layout = ParameterLayout(model, .all)
        var total = 0, active = 0, matrices = 0, expertWork = 0
        for entry in layout.entries {
            let met = entry.experts == nil ? entry.count : entry.count / entry.matrixCount * model.expertsPerToken
            total += entry.count
            active += met
            if case .matrix = entry.role, entry.name != "embedding" { matrices += met }
            if entry.experts != nil { expertWork += met }
        }
        if model.tieEmbeddings { matrices += model.vocabularySize * model.dModel }
        totalParameters = total
        activeParameters = active
        causalPairs = Double(model.context + 1) / 2
        flopsPerPair = 12 * Double(model.layers * model.attention.queryWidth)
        flopsPerToken = 6 * Double(matrices) + flopsPerPair * causalPairs
        expertFlopsPerToken = 6 * Double(expertWork)
    }

    /// Useful FLOPs of a token.
    /// - Parameters:
    ///   - droppedRatio: assignments that found no slot, of all
    ///   - visible: tokens that one sees on average, fewer than the causal mask allows where documents end
    package func flopsPerToken(droppedRatio: Double, visible: Double) -> Double {
        flopsPerToken - droppedRatio * expertFlopsPerToken - flopsPerPair * (causalPairs - visible)
    }
}
