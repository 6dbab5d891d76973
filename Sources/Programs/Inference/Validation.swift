package import Collectives
import Configuration
package import Data
package import Model
package import Parallelism
import RunFormat
import Tensors

/// Loss over held-out text.
package struct ValidationResult: Sendable, CustomStringConvertible {
    package var tokens: Int
    /// Nats per token.
    package var loss: Double
    /// Bits per byte of the text that was predicted.
    package var bitsPerByte: Double

    package var description: String {
        "\(fixed(loss, 4)) nats per token, \(fixed(bitsPerByte, 4)) bits per byte (\(grouped(tokens)) tokens)"
    }
}

/// Evaluates consecutive windows of a dataset, lane by lane, dropless unless configured otherwise.
package final class Validation {
    private let engine: Engine
    private let windows: EvaluationWindows
    private let count: Int
    private let lane: Lane
    private let perLane: Int

    /// - Parameters:
    ///   - laneTokens: of one lane; drops, if any are allowed, are per lane
    ///   - tokens: look at no more than this many; 0: at all
    package init(_ engine: Engine, _ windows: EvaluationWindows, laneTokens: Int, tokens limit: Int) {
        self.engine = engine
        self.windows = windows
        count = limit > 0 ? min(windows.count, max(1, limit / windows.context)) : windows.count
        perLane = max(1, laneTokens / windows.context)
        lane = Lane(sequences: perLane, sequenceLength: windows.context)
    }

    /// **Collective** over the world.
    /// - Parameter requests: asked before every round
    /// - Returns: nil if somebody asked to leave meanwhile
    package func run(
        _ parameters: ParameterArena, unless requests: RunRequests
    ) throws(CommunicationError) -> ValidationResult? {
        let lanes = (count + perLane - 1) / perLane
        // Per lane: sum of losses, tokens, bytes; summed in lane order, so that the layout does not show.
        let table = Vector<Double>(count: 3 * lanes)
        for round in 0..<engine.mesh.rounds(lanes: lanes) {
            guard try !requests.wantLeave() else { return nil }
            let number = engine.mesh.lane(round: round, of: lanes)
            let filled = number.map { fill($0) }
            let statistics = try engine.model.evaluate(
                filled?.lane ?? lane.prefix(sequences: 0),
                in: engine.pass(.evaluation, parameters, sequenceLength: lane.sequenceLength))
            guard let number, let filled else { continue }
            table[3 * number] = statistics.crossEntropy
            table[3 * number + 1] = Double(statistics.tokens)
            table[3 * number + 2] = Double(filled.bytes)
        }
        try engine.mesh.world.sum(table)
        var sums = [0.0, 0.0, 0.0]
        for i in 0..<table.count { sums[i % 3] += table[i] }
        return ValidationResult(
            tokens: Int(sums[1]), loss: sums[0] / sums[1], bitsPerByte: sums[0] / sums[2] / 0.693_147_180_559_945_3)
    }

    private func fill(_ number: Int) -> (lane: Lane, bytes: Int) {
        let context = windows.context, first = number * perLane
        let sequences = min(perLane, count - first)
        var bytes = 0
        for s in 0..<sequences {
            let place = s * context..<(s + 1) * context
            var inputs = lane.inputs[place].mutableSpan, targets = lane.targets[place].mutableSpan
            windows.fill(window: first + s, inputs: &inputs, targets: &targets)
            bytes += windows.byteCount(ofTargets: lane.targets[place].span)
        }
        return (lane.prefix(sequences: sequences), bytes)
    }
}
