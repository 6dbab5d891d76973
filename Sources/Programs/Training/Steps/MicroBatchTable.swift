package import Collectives
package import Model
import Randomness
import Tensors

/// What the micro-batches of a step contribute to its records, micro-batch by micro-batch, so that sums over micro-batches are
/// taken in micro-batch order on every layout.
package struct MicroBatchTable: Sendable {
    private let layers: Int
    private let sources: Int
    private let fields: Int
    /// `[microBatches of the largest step, fields]`: tokens, mean cross-entropy, load balance, z, digest of routes, pairs of tokens that
    /// see each other, then per layer drops, imbalance, then per source, if there are several, tokens, sum of cross-entropy.
    private let table: Vector<Double>

    /// - Parameters:
    ///   - microBatches: of the largest step
    ///   - layers: of the model
    ///   - sources: of the training data
    package init(microBatches: Int, layers: Int, sources: Int) {
        (self.layers, self.sources) = (layers, sources)
        fields = Self.fields(layers: layers, sources: sources)
        table = Vector(count: microBatches * fields)
    }

    private static func fields(layers: Int, sources: Int) -> Int { 6 + 2 * layers + (sources > 1 ? 2 * sources : 0) }

    /// Bytes of the ledger.
    static func bytes(microBatches: Int, layers: Int, sources: Int) -> Int {
        8 * microBatches * fields(layers: layers, sources: sources)
    }

    package func clear() { table.fill(with: 0) }

    package func record(_ statistics: MicroBatchStatistics, microBatch: Int) {
        let row = table[microBatch * fields..<(microBatch + 1) * fields]
        row[0] = Double(statistics.tokens)
        row[1] = statistics.tokens > 0 ? statistics.crossEntropy / Double(statistics.tokens) : 0
        row[2] = statistics.routes.reduce(0) { $0 + $1.loadBalance }
        row[3] = statistics.routes.reduce(0) { $0 + $1.z }
        // 52 bits, which a double holds exactly.
        row[4] = Double(statistics.routes.reduce(UInt64(0)) { mix($0 ^ $1.expertIndicesDigest) } >> 12)
        row[5] = Double(statistics.visiblePairs)
        for (layer, route) in statistics.routes.enumerated() {
            row[6 + 2 * layer] = Double(route.dropped)
            row[7 + 2 * layer] = route.imbalance
        }
    }

    /// The losses of one sequence of a micro-batch, where there are several sources.
    /// - Parameter losses: of its tokens, in nats
    func record(_ losses: Vector<Float>, ofSource source: Int, microBatch: Int) {
        let start = microBatch * fields + 6 + 2 * layers + 2 * source
        table[start] += Double(losses.count)
        table[start + 1] += (0..<losses.count).reduce(0) { $0 + Double(losses[$1]) }
    }

    /// The mean loss of each source in the first `microBatches`, nats per token; nil of one without tokens. Empty of one source.
    private func lossBySource(_ microBatches: Int) -> [Double?] {
        guard sources > 1 else { return [] }
        return (0..<sources).map { source in
            var tokens = 0.0, loss = 0.0
            for microBatch in 0..<microBatches {
                let start = microBatch * fields + 6 + 2 * layers + 2 * source
                tokens += table[start]
                loss += table[start + 1]
            }
            return tokens > 0 ? loss / tokens : nil
        }
    }

    /// Every micro-batch was entered by one rank: adding the others' zeros is exact. **Collective**.
    /// - Parameters:
    ///   - microBatches: of this step
    ///   - world: all ranks
    package func allReduce(_ microBatches: Int, over world: any Communicator) throws(CommunicationError) {
        try world.allReduceSum(table[0..<microBatches * fields])
    }

    /// - Parameters:
    ///   - microBatches: of this step
    ///   - expertsPerToken: experts a token goes to
    package func summary(of microBatches: Int, expertsPerToken: Int) -> BatchSummary {
        var result = BatchSummary(layers: layers)
        for microBatch in 0..<microBatches {
            let row = table[microBatch * fields..<(microBatch + 1) * fields]
            result.tokens += Int(row[0])
            result.loss += row[1] * row[0]
            result.loadBalance += row[2] / Double(microBatches)
            result.z += row[3] / Double(microBatches)
            result.routeDigest = result.routeDigest &+ mix(UInt64(row[4]) ^ mix(UInt64(microBatch)))
            result.visiblePairs += row[5]
            result.lossDigest = result.lossDigest &+ mix(row[1].bitPattern ^ mix(UInt64(microBatch)))
            for layer in 0..<layers {
                result.dropped[layer] += row[6 + 2 * layer]
                result.imbalance[layer] += row[7 + 2 * layer]
            }
        }
        result.loss /= Double(max(result.tokens, 1))
        result.lossBySource = lossBySource(microBatches)
        for layer in 0..<layers { result.imbalance[layer] /= Double(microBatches) }
        for layer in 0..<layers { result.dropped[layer] /= Double(max(result.tokens * expertsPerToken, 1)) }
        return result
    }
}

/// A batch's losses and routing.
package struct BatchSummary: Sendable {
    package var tokens = 0
    /// Pairs of a token and one that it sees, itself included.
    package var visiblePairs = 0.0
    /// Tokens that one sees on average.
    package var visibleTokens: Double { visiblePairs / Double(max(1, tokens)) }
    /// Cross-entropy, nats per token.
    package var loss = 0.0
    /// The same of each source of a mixture; nil of one that gave no tokens. Empty where there is one source.
    package var lossBySource: [Double?] = []
    package var loadBalance = 0.0
    package var z = 0.0
    /// Dropped share of assignments, and imbalance, by layer.
    package var dropped: [Double]
    package var imbalance: [Double]
    /// Assignments to every expert, before capacity, by layer; nil of a step that does not record them.
    package var expertLoad: [[Int]]?
    /// Digests of all micro-batches' choices, and of their losses, each with the micro-batch's number.
    package var routeDigest: UInt64 = 0
    package var lossDigest: UInt64 = 0

    init(layers: Int) {
        dropped = [Double](repeating: 0, count: layers)
        imbalance = [Double](repeating: 0, count: layers)
    }
}
