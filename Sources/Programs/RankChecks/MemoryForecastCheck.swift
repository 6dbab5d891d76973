import Collectives
import Configuration
import Diagnostics
import Kernels
import MatrixProducts
import Model
import Parallelism
import Platform
import Tensors
import Training

/// Jobs of rising size, because a process can only tell the most it ever used.
///
/// A tenth is what the forecast promises. Of these jobs most goes to arenas and activations, which are counted to the byte;
/// left to it are the process itself, counted as a constant, and what libraries and the C allocator keep. These small jobs may
/// miss by half of that constant where this is more than a tenth: this process needs less of it than a run.
func predictedMemory(on world: any Communicator, _ expectations: Expectations) throws {
    let trials = try changes.map { changes in
        let configuration = try configuration(changes, microBatches: world.size)
        let layout = try JobLayout(configuration, ranks: world.size)
        return (configuration, layout, predicted: MemoryEstimate(configuration, layout).total)
    }
    for (configuration, layout, predicted) in trials.sorted(by: { $0.predicted < $1.predicted }) {
        try takeTwoSteps(configuration, layout, on: world)
        let used = ProcessMemory.peak
        expectations.expect(
            abs(predicted - used) <= max(used / 10, 48 << 20),
            "\(predicted) bytes predicted, \(used) used, with \(configuration.precision), recompute "
                + "\(configuration.recomputation), reproducible \(configuration.reproducible)")
    }
}

private func takeTwoSteps(
    _ configuration: ResolvedConfiguration, _ layout: JobLayout, on world: any Communicator
) throws {
    let engine = try Engine(
        configuration, expertParallelSize: layout.expertParallelSize, threads: configuration.parallel.threadsPerRank,
        forTraining: true, on: world)
    let source = SyntheticSequences(
        perMicroBatch: configuration.sequencesPerMicroBatch,
        microBatchOrder: Array(0..<configuration.batch.largestStep.microBatches))
    let step = TrainingStep(configuration, engine, source)
    var state = TrainingState(for: engine)
    state.initialize(by: Initialization(.switchTransformers, scale: 0.1, seed: 3), on: engine.workers)
    for _ in 1...2 { _ = try step.run(&state) }
}

/// Both precisions (where they can be computed), exact sums, every kind of recomputation, one and more choices, both optimizers, an
/// average of the parameters.
private let changes = [
    ["reproducible=true", "model.tie_embeddings=true", "model.norm=layer"],
    ["recompute=block", "model.layers=16", "parallel.threads_per_rank=2"],
    [
        ProductLibrary.supports(.bfloat16) ? "precision=bfloat16" : "precision=float32", "model.top_k=2",
        "model.granularity=2", "recompute=attention", "model.layers=6",
    ],
    [
        "model.layers=10", "optimizer.kind=muon", "optimizer.ema_decay=0.9", "model.dense_layers=2",
        "model.shared_experts=1", "model.shared_gate=true",
    ],
]

/// Narrow layers and long micro-batches: much memory for little arithmetic.
/// - Parameter microBatches: of a step: one a rank, which is as much memory as many
private func configuration(_ changes: [String], microBatches: Int) throws(Failure) -> ResolvedConfiguration {
    let yaml = """
        data: {train: synthetic}
        model: {d_model: 64, layers: 4, heads: 2, context: 64, vocabulary_size: 512, experts: 12, feed_forward: 8}
        batch: {tokens: \(4096 * microBatches), micro_batch_tokens: 4096}
        train: {steps: 2}
        """
    return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "memory forecast", overrides: changes))
        .resolved(tokenizer: 1)
}
