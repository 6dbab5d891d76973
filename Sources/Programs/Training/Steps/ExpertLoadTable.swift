import Collectives
import Configuration
import Model
import Tensors

/// Assignments to every expert of every layer in the micro-batches of a step, before capacity.
///
/// Counts are whole numbers far below 2^53, so their sum is the same in any order. Of two micro-batches in flight, each adds its
/// own while it holds the turn lock.
struct ExpertLoadTable: Sendable {
    /// Of each layer, where its experts begin in `counts`; at last the number of all.
    private let starts: [Int]
    private let counts: Vector<Double>

    /// - Returns: nil of a model without a choice between experts, or if nobody wants the counts
    init?(_ model: ModelShape, _ metrics: MetricsConfiguration) {
        let experts = (0..<model.layers).map(model.expertCount(inLayer:))
        guard metrics.expertLoadEvery > 0, experts.contains(where: { $0 > 1 }) else { return nil }
        starts = experts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        counts = Vector(count: starts[experts.count])
    }

    func clear() { counts.fill(with: 0) }

    func add(_ statistics: MicroBatchStatistics) {
        for (layer, route) in statistics.routes.enumerated() {
            for (expert, count) in route.tokensPerExpert.enumerated() {
                counts[starts[layer] + expert] += Double(count)
            }
        }
    }

    /// **Collective**.
    func allReduce(over world: any Communicator) throws(CommunicationError) { try world.allReduceSum(counts) }

    /// Layer by layer.
    var byLayer: [[Int]] {
        zip(starts, starts.dropFirst()).map { start, end in (start..<end).map { Int(counts[$0]) } }
    }
}
