import Configuration

/// What layers of a model with equally many experts have in common.
struct LayerKind {
    /// The first of them.
    let layer: Int
    let experts: Int
    /// Follows the names of what is measured on such layers; empty if all layers are alike.
    let suffix: String
}

extension ModelShape {
    /// In ascending order of experts.
    var layerKinds: [LayerKind] {
        let layers = Dictionary(grouping: (0..<layers).filter(isRouted), by: expertCount(inLayer:))
        return layers.sorted { $0.key < $1.key }.map { experts, alike in
            LayerKind(layer: alike[0], experts: experts, suffix: layers.count == 1 ? "" : ", \(experts) experts")
        }
    }
}
