package import Configuration
package import Diagnostics
import Model

/// What makes an expert worth keeping.
package enum PruningRule: String, Sendable, CaseIterable {
    /// How often it was chosen: Muzio et al., "SEER-MoE" (arXiv:2404.05089), heavy hitters by hard counts.
    case counts
    /// The router's probability, summed over tokens: the same paper's soft counts.
    case probability
}

/// Among which experts the most used are sought.
package enum PruningScope: String, Sendable, CaseIterable {
    /// Those of each layer: every layer keeps equally many.
    case layer
    /// Those of the whole model: a layer whose experts are used more evenly keeps more of them.
    case model
}

/// Which experts of a model stay: the most used ones, ties to the lowest layer and number.
package struct KeptExperts: Sendable, Equatable {
    /// `[layers][kept]`: numbers of the experts that stay, ascending.
    package let numbers: [[Int]]
    /// What `model.experts` is then.
    package let experts: ExpertsPerLayer

    /// - Parameters:
    ///   - target: in units of a dense feed-forward, as `model.experts`: of each layer, or of the mean layer. No layer keeps
    ///     fewer than `topK`, since a token needs as many, and none more than it has
    ///   - scores: `[layers][experts]`: how much each was used
    /// - Throws: `usage` if that is more than there are, or fewer than a token chooses
    package init(_ target: Int, of model: ModelShape, over scope: PruningScope, scores: [[Double]])
        throws(Failure)
    {
        // Dense layers have none.
        let layers = (0..<model.layers).filter(model.isRouted), there = layers.map { model.experts[layer: $0] }
        let most = scope == .layer ? there.max() ?? 1 : there.reduce(0, +) / layers.count
        guard (model.topK...most).contains(target) else {
            throw Failure(
                .usage, "--experts \(target): the model has \(model.experts), and a token chooses \(model.topK)",
                advice: "allowed are \(model.topK) to \(most)")
        }
        let ranked = layers.map { Self.ranked(scores[$0], together: model.granularity) }
        let kept =
            scope == .layer
            ? there.map { min($0, target) }
            : Self.mostUsed(ranked.map { $0.map(\.score) }, target * layers.count, atLeast: model.topK)
        var numbers = [[Int]](repeating: [], count: model.layers), byLayer = numbers.map { _ in kept[0] }
        for (place, layer) in layers.enumerated() {
            numbers[layer] = ranked[place].prefix(kept[place]).flatMap(\.experts).sorted()
            byLayer[layer] = kept[place]
        }
        self.numbers = numbers
        experts = ExpertsPerLayer(byLayer: byLayer)
    }

    /// A layer's experts, most used first, in groups of `granularity`: as many as cost a dense feed-forward.
    private static func ranked(_ scores: [Double], together granularity: Int) -> [(experts: [Int], score: Double)] {
        // Ties to the lowest number, as routing has it.
        let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        return stride(from: 0, to: order.count, by: granularity).map { start in
            let experts = Array(order[start..<start + granularity])
            return (experts, experts.reduce(0) { $0 + scores[$1] })
        }
    }

    /// How many groups each layer keeps of the `budget` most used of all layers, when each keeps at least `floor`.
    /// - Parameter scores: `[layers][groups]`, descending in each layer
    private static func mostUsed(_ scores: [[Double]], _ budget: Int, atLeast floor: Int) -> [Int] {
        let others = scores.enumerated().flatMap { layer, scores in
            scores.dropFirst(floor).enumerated().map { (score: $1, layer: layer, place: $0) }
        }
        let best = others.sorted { ($1.score, $0.layer, $0.place) < ($0.score, $1.layer, $1.place) }
        return best.prefix(budget - floor * scores.count).reduce(into: scores.map { _ in floor }) { $0[$1.layer] += 1 }
    }
}
