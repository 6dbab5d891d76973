import Collectives
import Configuration
import Data
import Diagnostics
import Model
import Parallelism
import Randomness
import Tensors
import Training

/// A small job that drops tokens, run on any layout: 8 micro-batches a step, two layers, capacity factor 1.
struct LayoutTrial: Sendable {
    var reproducible: Bool
    var precision = Precision.float32
    var steps: Int
    var expertsPerToken = 1
    var experts = ExpertsPerLayer(12)
    var recomputation = Recomputation.none
    var tieEmbeddings = false
    var balancing = LoadBalancingKind.loss
    var optimizer = OptimizerKind.adamw
    /// More keys of `model`, such as `kv_heads: 1`.
    var modelKeys = "kv_heads: auto"
    var isOptimizerDistributed = false
    var overlapsReduction = false
    /// Wide enough for several buckets, some of which are cut within a matrix.
    var isWide = false
    /// `batch.ramp`
    var ramp = "[]"
    /// Whether attention ends at the borders of documents.
    var masksDocuments = false
    /// What it trains on, tokens of bytes; nil: `SyntheticSequences`.
    var mixture: Mixture?
    /// Which micro-batch's data each of a step's micro-batches gets.
    var microBatchOrder = Array(0..<8)
    /// The tensor whose first number loses its sign after the first step, if any: the least that memory can do wrong.
    var flippedBit: String?

    /// What a layout can be held to, step by step.
    struct Trace: Sendable, Equatable {
        var losses: [Double] = []
        var routes: [UInt64] = []
        var gradientDigests: [UInt64] = []
        var parameterDigests: [UInt64] = []
        var dropped: [Double] = []
        /// Of each source, where they are several.
        var lossesBySource: [[Double?]] = []
    }

    /// A rank's gradients after the first step, tensor by tensor.
    struct FirstGradients: Sendable {
        var values: [String: (offset: Int, elements: [Float])] = [:]
    }

    /// The expert-parallel sizes it can have on `world`, ascending.
    func expertParallelSizes(on world: any Communicator) -> [Int] {
        ParallelConfiguration.allowedExpertParallelSizes(experts: (0..<2).map { experts[layer: $0] }, ranks: world.size)
    }

    /// Trains on `world`. **Collective**.
    func run(
        on world: any Communicator, expertParallelSize: Int, threads: Int, microBatchesInFlight: Int = 1
    ) throws -> (trace: Trace, gradients: FirstGradients) {
        let configuration = try configuration(expertParallelSize: expertParallelSize, threads: threads)
        let engine = try Engine(
            configuration, expertParallelSize: expertParallelSize, threads: threads,
            microBatchesInFlight: microBatchesInFlight,
            forTraining: true, on: world)
        let source: any SequenceSource =
            mixture
            ?? SyntheticSequences(
                perMicroBatch: configuration.sequencesPerMicroBatch, microBatchOrder: microBatchOrder)
        let step = TrainingStep(configuration, engine, source)
        var state = TrainingState(for: engine)
        state.initialize(by: Initialization(.switchTransformers, scale: 0.5, seed: 3), on: engine.workers)
        var trace = Trace(), gradients = FirstGradients()
        for number in 0..<steps {
            let outcome = try step.run(&state)
            trace.losses.append(outcome.microBatches.loss)
            trace.routes.append(outcome.microBatches.routeDigest)
            trace.gradientDigests.append(outcome.gradientDigest)
            trace.parameterDigests.append(outcome.parameterDigest)
            trace.dropped.append(outcome.microBatches.dropped.reduce(0, +))
            trace.lossesBySource.append(outcome.microBatches.lossBySource)
            if number == 0 {
                gradients = firstGradients(step, engine)
                flip(state.parameters)
            }
        }
        return (trace, gradients)
    }

    /// On the ranks that hold it.
    private func flip(_ parameters: ParameterArena) {
        guard let flippedBit else { return }
        let id = parameters.layout.id(flippedBit)
        guard parameters.layout[id].globalOffset == 0 else { return }
        let values = parameters.vector(id)
        values[0] = -values[0]
    }

    /// On one virtual rank with one thread: what every other layout is compared with.
    func reference() throws -> (trace: Trace, gradients: FirstGradients) {
        try VirtualRanks.run(1) { world in try run(on: world, expertParallelSize: 1, threads: 1) }[0]
    }

    /// With a distributed optimizer a rank has sums of its slices only, one of each tensor.
    private func firstGradients(_ step: TrainingStep, _ engine: Engine) -> FirstGradients {
        var result = FirstGradients()
        for entry in engine.layout.entries {
            let ranges =
                engine.isOptimizerDistributed ? engine.ownedRanges.map { $0.clamped(to: entry.range) } : [entry.range]
            guard let range = ranges.first(where: { !$0.isEmpty }) else { continue }
            result.values[entry.name] = (
                entry.globalOffset + range.lowerBound - entry.offset, range.map { step.gradients.value(at: $0) }
            )
        }
        return result
    }

    private func configuration(expertParallelSize: Int, threads: Int) throws(Failure) -> ResolvedConfiguration {
        let yaml = """
            reproducible: \(reproducible)
            recompute: \(recomputation)
            precision: \(precision.rawValue)
            data: {train: synthetic, document_mask: \(masksDocuments)}
            model: {d_model: \(isWide ? 192 : 24), layers: 2, heads: 2, context: 16, \(modelKeys), experts: \(experts),
              top_k: \(expertsPerToken), tie_embeddings: \(tieEmbeddings), vocabulary_size: \(isWide ? 6000 : mixture == nil ? 61 : 257),
              granularity: \(isWide ? 2 : 1)}
            routing: {capacity_factor: 1.0, balancing: \(balancing.rawValue), bias_update_rate: 0.01}
            batch: {ramp: \(ramp), tokens: \(48 * microBatchOrder.count), micro_batch_tokens: 48}
            train: {steps: \(steps)}
            optimizer: {kind: \(optimizer.rawValue), learning_rate: 0.01}
            schedule: {kind: constant}
            parallel: {expert_parallel: \(expertParallelSize), threads_per_rank: \(threads),
                       distributed_optimizer: \(isOptimizerDistributed), overlap_reduction: \(overlapsReduction)}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "layout trial")).resolved(tokenizer: 1)
    }
}

/// Sequences with something to learn: each token mostly follows from the one before.
struct SyntheticSequences: SequenceSource {
    let perMicroBatch: Int
    let microBatchOrder: [Int]

    func fill(sequence n: Int, inputs: inout MutableSpan<Int32>, targets: inout MutableSpan<Int32>) {
        let microBatch = n / perMicroBatch % microBatchOrder.count
        let step = n / perMicroBatch / microBatchOrder.count
        let source = (step * microBatchOrder.count + microBatchOrder[microBatch]) * perMicroBatch + n % perMicroBatch
        let random = RandomFunction(seed: 11, purpose: .tests, stream: UInt64(source))
        var token = random.integer(0, below: 61)
        for i in 0..<inputs.count {
            inputs[i] = Int32(token)
            let isNoise = random.uniform(UInt64(2 * i + 1)) < 0.2
            token = isNoise ? random.integer(UInt64(2 * i + 2), below: 61) : (token &* 7 &+ 5) % 61
            targets[i] = Int32(token)
        }
    }

    /// Documents of 1 to 5 tokens.
    func documentStarts(ofSequence n: Int, into starts: inout MutableSpan<Int32>) {
        let random = RandomFunction(seed: 12, purpose: .tests, stream: UInt64(n))
        var start = 0, end = 0
        for i in 0..<starts.count {
            if i == end { (start, end) = (i, i + 1 + Int(random.integer(UInt64(i), below: UInt64(5)))) }
            starts[i] = Int32(start)
        }
    }
}
