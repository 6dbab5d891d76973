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
    /// Nats per token of each source of a mixture; nil of one without tokens here. Empty where there is one source.
    package var lossBySource: [Double?] = []

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
        let sums = ValidationSums(microBatches: microBatches, sources: windows.datasets.count)
        for accumulationStep in 0..<engine.mesh.accumulationSteps(microBatches: microBatches) {
            guard try !requests.shouldStop() else { return nil }
            let number = engine.mesh.microBatch(accumulationStep: accumulationStep, of: microBatches)
            let filled = number.map { fill($0) } ?? microBatch.prefix(sequences: 0)
            let statistics = try engine.model.evaluate(filled, in: engine.pass(.evaluation, parameters, of: filled))
            guard let number else { continue }
            sums.record(statistics, bytes: windows.byteCount(ofTargets: filled.targets.span), microBatch: number)
            guard windows.datasets.count > 1 else { continue }
            for s in 0..<filled.sequences {
                let place = s * windows.context..<(s + 1) * windows.context
                sums.record(
                    engine.workspace.losses[place], ofSource: windows.source(ofWindow: number * perMicroBatch + s),
                    microBatch: number)
            }
        }
        return try sums.result(over: engine.mesh.world)
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
