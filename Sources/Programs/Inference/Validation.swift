package import Collectives
import Configuration
package import Data
import Diagnostics
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
        "\(decimals(loss, 4)) nats per token, \(decimals(bitsPerByte, 4)) bits per byte (\(grouped(tokens)) tokens)"
    }
}

/// Evaluates consecutive windows of a dataset, micro-batch by micro-batch, dropless unless configured otherwise.
package final class Validation {
    private let engine: Engine
    private let windows: EvaluationWindows
    private let count: Int
    private let microBatch: MicroBatch
    private let perMicroBatch: Int

    /// - Parameters:
    ///   - microBatchTokens: of one micro-batch; drops, if any are allowed, are per micro-batch
    ///   - tokens: look at no more than this many; 0: at all
    package init(_ engine: Engine, _ windows: EvaluationWindows, microBatchTokens: Int, tokens limit: Int) {
        self.engine = engine
        self.windows = windows
        count = limit > 0 ? min(windows.count, max(1, limit / windows.context)) : windows.count
        perMicroBatch = max(1, microBatchTokens / windows.context)
        microBatch = MicroBatch(sequences: perMicroBatch, sequenceLength: windows.context)
    }

    /// **Collective** over the world.
    /// - Parameter requests: asked before every round
    /// - Returns: nil if somebody asked to leave meanwhile
    package func run(
        _ parameters: ParameterArena, unless requests: RunControl
    ) throws(CommunicationError) -> ValidationResult? {
        let microBatches = (count + perMicroBatch - 1) / perMicroBatch
        // Per micro-batch: sum of losses, tokens, bytes; summed in micro-batch order, so that the layout does not show.
        let table = Vector<Double>(count: 3 * microBatches)
        for accumulationStep in 0..<engine.mesh.accumulationSteps(microBatches: microBatches) {
            guard try !requests.shouldStop() else { return nil }
            let number = engine.mesh.microBatch(accumulationStep: accumulationStep, of: microBatches)
            let filled = number.map { fill($0) }
            let statistics = try engine.model.evaluate(
                filled?.microBatch ?? microBatch.prefix(sequences: 0),
                in: engine.pass(.evaluation, parameters, sequenceLength: microBatch.sequenceLength))
            guard let number, let filled else { continue }
            table[3 * number] = statistics.crossEntropy
            table[3 * number + 1] = Double(statistics.tokens)
            table[3 * number + 2] = Double(filled.bytes)
        }
        try engine.mesh.world.allReduceSum(table)
        var sums = [0.0, 0.0, 0.0]
        for i in 0..<table.count { sums[i % 3] += table[i] }
        return ValidationResult(
            tokens: Int(sums[1]), loss: sums[0] / sums[1], bitsPerByte: sums[0] / sums[2] / 0.693_147_180_559_945_3)
    }

    private func fill(_ number: Int) -> (microBatch: MicroBatch, bytes: Int) {
        let context = windows.context, first = number * perMicroBatch
        let sequences = min(perMicroBatch, count - first)
        var bytes = 0
        for s in 0..<sequences {
            let place = s * context..<(s + 1) * context
            var inputs = unsafe microBatch.inputs[place].unsafeMutableSpan,
                targets = unsafe microBatch.targets[place].unsafeMutableSpan
            windows.fill(window: first + s, inputs: &inputs, targets: &targets)
            bytes += windows.byteCount(ofTargets: microBatch.targets[place].span)
        }
        return (microBatch.prefix(sequences: sequences), bytes)
    }
}
