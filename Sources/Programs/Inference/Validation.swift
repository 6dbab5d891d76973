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
    ///   - masksDocuments: whether attention and positions end at the borders of documents
    package init(
        _ engine: Engine, _ windows: EvaluationWindows, microBatchTokens: Int, tokens limit: Int, masksDocuments: Bool
    ) {
        self.engine = engine
        self.windows = windows
        count = limit > 0 ? min(windows.count, max(1, limit / windows.context)) : windows.count
        perMicroBatch = max(1, microBatchTokens / windows.context)
        microBatch = MicroBatch(
            sequences: perMicroBatch, sequenceLength: windows.context, masksDocuments: masksDocuments)
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
            let filled = number.map { fill($0) } ?? microBatch.prefix(sequences: 0)
            let statistics = try engine.model.evaluate(filled, in: engine.pass(.evaluation, parameters, of: filled))
            guard let number else { continue }
            table[3 * number] = statistics.crossEntropy
            table[3 * number + 1] = Double(statistics.tokens)
            table[3 * number + 2] = Double(windows.byteCount(ofTargets: filled.targets.span))
        }
        try engine.mesh.world.allReduceSum(table)
        var sums = [0.0, 0.0, 0.0]
        for i in 0..<table.count { sums[i % 3] += table[i] }
        return ValidationResult(
            tokens: Int(sums[1]), loss: sums[0] / sums[1], bitsPerByte: sums[0] / sums[2] / 0.693_147_180_559_945_3)
    }

    private func fill(_ number: Int) -> MicroBatch {
        let first = number * perMicroBatch
        return windows.fill(microBatch, from: first, to: min(first + perMicroBatch, count))
    }
}

extension EvaluationWindows {
    /// Fills a micro-batch with the windows from `first` to before `end`, as many as it has sequences or fewer.
    /// - Returns: the part of it that they take
    package func fill(_ microBatch: MicroBatch, from first: Int, to end: Int) -> MicroBatch {
        for window in first..<end {
            let place = (window - first) * context..<(window - first + 1) * context
            var inputs = unsafe microBatch.inputs[place].unsafeMutableSpan,
                targets = unsafe microBatch.targets[place].unsafeMutableSpan
            fill(window: window, inputs: &inputs, targets: &targets)
            guard let documentStarts = microBatch.documentStarts else { continue }
            var starts = unsafe documentStarts[place].unsafeMutableSpan
            self.documentStarts(ofWindow: window, into: &starts)
        }
        return microBatch.prefix(sequences: end - first)
    }
}
