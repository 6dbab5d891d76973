import Configuration

/// What layers of a model with equally many experts have in common.
struct LayerKind {
    let experts: Int
    /// Follows the names of what is measured on such layers; empty if all layers are alike.
    let suffix: String
}

extension ModelShape {
    /// In ascending order of experts.
    var layerKinds: [LayerKind] {
        let counts = Set(expertCounts).sorted()
        return counts.map { LayerKind(experts: $0, suffix: counts.count == 1 ? "" : ", \($0) experts") }
    }
}
