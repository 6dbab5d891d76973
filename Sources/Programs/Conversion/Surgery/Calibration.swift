import Checkpoints
package import Collectives
import Configuration
import Data
package import Diagnostics
import Inference
import Kernels
import Model
import Parallelism
import Tensors

/// Loss over some texts, and how much each expert was used on the way.
package struct Calibration: Sendable {
    /// Nats per token, dropless.
    package private(set) var loss = 0.0
    package private(set) var tokens = 0
    /// `[layers][experts]`: how often an expert was chosen.
    package private(set) var counts: [[Int]]
    /// `[layers][experts]`: the router's probability of an expert, summed over tokens.
    package private(set) var probabilities: [[Double]]

    /// - Parameters:
    ///   - paths: texts, directories of them, or one token file of this model's tokenizer
    ///   - textField: the field that holds the texts; nil: as `data.text_field: auto`
    ///   - directory: where the token file of texts is made
    ///   - limit: look at no more tokens than this; 0: at all
    ///   - report: takes lines of progress
    package init(
        _ source: SourceCheckpoint, on paths: [String], textField: String? = nil, in directory: String,
        tokens limit: Int, threads: Int,
        world: any Communicator, report: (String) -> Void = { _ in }
    ) throws(Failure) {
        let model = source.configuration.model
        counts = model.expertCounts.map { Array(repeating: 0, count: $0) }
        probabilities = model.expertCounts.map { Array(repeating: 0, count: $0) }
        try Corpus.prepareEvaluation(
            of: paths, textField: textField, tokenizer: source.tokenizer, directory: directory, report: report)
        let dataset = try Corpus.openEvaluation(of: paths, tokenizer: source.tokenizer, directory: directory)
        let windows = try EvaluationWindows([dataset], context: model.context)
        let count = limit > 0 ? min(windows.count, max(1, limit / model.context)) : windows.count
        do {
            try measure(source, windows, 0..<count, threads: threads, on: world)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.communication, "\(error)")
        }
    }

    /// `[layers][experts]`: how much each was used.
    package func scores(by rule: PruningRule) -> [[Double]] {
        rule == .counts ? counts.map { $0.map(Double.init) } : probabilities
    }

    private mutating func measure(
        _ source: SourceCheckpoint, _ windows: EvaluationWindows, _ range: Range<Int>, threads: Int,
        on world: any Communicator
    ) throws {
        var configuration = source.configuration
        configuration.routing.evaluationCapacityFactor = nil
        configuration.precision = .float32
        configuration.recomputation = .none
        let perMicroBatch = max(1, configuration.batch.microBatchTokens / windows.context)
        configuration.batch.microBatchTokens = perMicroBatch * windows.context
        // Room for a backward pass is room for every layer's route.
        let engine = try Engine(configuration, expertParallelSize: 1, threads: threads, forTraining: true, on: world)
        let parameters = ParameterArena(engine.layout)
        try parameters.readOnly.restore(from: source.reader)
        try source.reader.close()
        let microBatch = MicroBatch(
            sequences: perMicroBatch, sequenceLength: windows.context,
            masksDocuments: configuration.data.documentMask)
        var losses = 0.0
        for first in stride(from: 0, to: range.upperBound, by: perMicroBatch) {
            let filled = windows.fill(microBatch, from: first, to: min(first + perMicroBatch, range.upperBound))
            let statistics = try engine.model.evaluate(filled, in: engine.pass(.evaluation, parameters, of: filled))
            losses += statistics.crossEntropy
            tokens += statistics.tokens
            for layer in counts.indices where !counts[layer].isEmpty {
                count(engine.workspace.route(inLayer: layer), layer, filled.tokens)
            }
        }
        loss = losses / Double(tokens)
    }

    private mutating func count(_ route: Routing, _ layer: Int, _ tokens: Int) {
        for expert in counts[layer].indices { counts[layer][expert] += Int(route.tokensPerExpert[expert]) }
        for token in 0..<tokens {
            let row = route.probabilities.row(token)
            for expert in 0..<row.count { probabilities[layer][expert] += Double(row[expert]) }
        }
    }
}
