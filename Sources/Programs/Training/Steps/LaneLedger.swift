package import Collectives
package import Model
import Randomness
import Tensors

/// What the lanes of a step contribute to its records, lane by lane, so that sums over lanes are taken in lane order on
/// every layout.
package struct LaneLedger: Sendable {
    private let layers: Int
    private let lanes: Int
    /// `[lanes, fields]`: tokens, mean cross-entropy, load balance, z, digest of routes, then per layer drops, imbalance.
    private let table: Vector<Double>

    private var fields: Int { 5 + 2 * layers }

    package init(lanes: Int, layers: Int) {
        self.lanes = lanes
        self.layers = layers
        table = Vector(count: lanes * (5 + 2 * layers))
    }

    /// Bytes of the ledger.
    static func bytes(lanes: Int, layers: Int) -> Int { 8 * lanes * (5 + 2 * layers) }

    package func clear() { for i in 0..<table.count { table[i] = 0 } }

    package func enter(_ statistics: LaneStatistics, lane: Int) {
        let row = table[lane * fields..<(lane + 1) * fields]
        row[0] = Double(statistics.tokens)
        row[1] = statistics.tokens > 0 ? statistics.crossEntropy / Double(statistics.tokens) : 0
        row[2] = statistics.routes.reduce(0) { $0 + $1.loadBalance }
        row[3] = statistics.routes.reduce(0) { $0 + $1.z }
        // 52 bits, which a double holds exactly.
        row[4] = Double(statistics.routes.reduce(UInt64(0)) { mix($0 ^ $1.choicesDigest) } >> 12)
        for (layer, route) in statistics.routes.enumerated() {
            row[5 + 2 * layer] = Double(route.dropped)
            row[6 + 2 * layer] = route.imbalance
        }
    }

    /// Every lane was entered by one rank: adding the others' zeros is exact. **Collective**.
    package func share(over world: any Communicator) throws(CommunicationError) { try world.sum(table) }

    /// - Parameter choices: experts a token goes to
    package func summary(choices: Int) -> LaneSummary {
        var result = LaneSummary(layers: layers)
        for lane in 0..<lanes {
            let row = table[lane * fields..<(lane + 1) * fields]
            result.tokens += Int(row[0])
            result.loss += row[1] * row[0]
            result.loadBalance += row[2] / Double(lanes)
            result.z += row[3] / Double(lanes)
            result.routeDigest = result.routeDigest &+ mix(UInt64(row[4]) ^ mix(UInt64(lane)))
            result.lossDigest = result.lossDigest &+ mix(row[1].bitPattern ^ mix(UInt64(lane)))
            for layer in 0..<layers {
                result.dropped[layer] += row[5 + 2 * layer]
                result.imbalance[layer] += row[6 + 2 * layer] / Double(lanes)
            }
        }
        result.loss /= Double(max(result.tokens, 1))
        for layer in 0..<layers { result.dropped[layer] /= Double(max(result.tokens * choices, 1)) }
        return result
    }
}

/// A batch's losses and routing.
package struct LaneSummary: Sendable {
    package var tokens = 0
    /// Cross-entropy, nats per token.
    package var loss = 0.0
    package var loadBalance = 0.0
    package var z = 0.0
    /// Dropped share of assignments, and imbalance, by layer.
    package var dropped: [Double]
    package var imbalance: [Double]
    /// Digests of all lanes' choices, and of their losses, each with the lane's number.
    package var routeDigest: UInt64 = 0
    package var lossDigest: UInt64 = 0

    init(layers: Int) {
        dropped = [Double](repeating: 0, count: layers)
        imbalance = [Double](repeating: 0, count: layers)
    }
}
