/// What `fit --law` does besides the laws of the catalog: rules read off the minima of curves.
package enum RunAnalysis: String, Sendable, CaseIterable {
    /// The best size at equal compute.
    case isoflop
    /// The best learning rate and the best batch of every model and length.
    case learningRate = "learning-rate"
    case batchSize = "batch-size"

    /// What runs must say of themselves.
    package var needs: RunNeeds {
        switch self {
        case .isoflop: IsoFLOP.needs
        case .learningRate: SettingSweep.needs(.learningRate)
        case .batchSize: SettingSweep.needs(.batchTokens)
        }
    }
}
