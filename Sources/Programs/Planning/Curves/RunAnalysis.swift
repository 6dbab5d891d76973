/// What `fit --law` does besides the laws of the catalog: rules read off the minima of curves.
package enum RunAnalysis: String, Sendable, CaseIterable {
    /// The best size at equal compute.
    case isoflop

    /// What runs must say of themselves.
    package var needs: RunNeeds {
        switch self {
        case .isoflop: IsoFLOP.needs
        }
    }
}
