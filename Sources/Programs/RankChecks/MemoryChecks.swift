import Collectives
import Configuration
import Diagnostics
import MPI
import Model
import Parallelism
import Platform
import Tensors
import Training

/// A steady step allocates nothing, whatever the router does. Meaningful in a process of its own: what ran before hides
/// growth.
package let memoryCheckList: [RankCheck] = [
    RankCheck("memory: no more after 200 steps than after 5, all tokens to one expert from step 100 on") {
        try steadyMemory(microBatchesInFlight: 1, after: 5, on: $0, $1)
    },
    // MPI's pools take some steps to see both threads' exchanges at their most unlucky.
    RankCheck("memory: with two micro-batches in flight no more after 200 steps than after 50") {
        try steadyMemory(microBatchesInFlight: 2, after: 50, on: $0, $1)
    },
    RankCheck("memory: what a rank uses is within a tenth of what train --check predicts", predictedMemory),
]

private func steadyMemory(
    microBatchesInFlight: Int, after settled: Int, on world: any Communicator, _ expectations: Expectations
) throws {
    let configuration = try configuration(tokens: 2048 * microBatchesInFlight)
    let expertParallelSize = try configuration.parallel.resolvedExpertParallelSize(experts: [4], ranks: world.size)
    let engine = try Engine(
        configuration, expertParallelSize: expertParallelSize, threads: 1, microBatchesInFlight: microBatchesInFlight,
        forTraining: true,
        on: world)
    let source = SyntheticSequences(
        perMicroBatch: configuration.sequencesPerMicroBatch,
        microBatchOrder: Array(0..<configuration.batch.largestStep.microBatches))
    let step = TrainingStep(configuration, engine, source)
    var state = TrainingState(for: engine)
    Initialization(.switchTransformers, scale: 0.1, seed: 3).fill(state.parameters, on: engine.workers)
    var early = 0
    for number in 1...200 {
        if number >= 100 { forceFirstExpert(state.parameters) }
        let outcome = try step.run(&state)
        if number >= 100 {
            let imbalance = outcome.microBatches.imbalance[0]
            expectations.expect(imbalance > 3.9, "step \(number): imbalance \(imbalance), all should go to one expert")
        }
        if number == settled { early = ProcessMemory.peak }
    }
    let late = ProcessMemory.peak
    // The MPI library keeps what comes before it is awaited: on a busy machine that is more.
    let messages = 1 << 20
    expectations.expect(
        Double(late) <= Double(early) * 1.01 + Double(messages),
        "peak memory went from \(early) bytes at step \(settled) to \(late) at step 200")
}

/// Equal logits everywhere: ties go to expert 0.
private func forceFirstExpert(_ parameters: ParameterArena) {
    for id in parameters.layout.all where parameters.layout[id].name.hasSuffix(".router") {
        let values = parameters.vector(id)
        for i in 0..<values.count { values[i] = 0 }
    }
}

/// A capacity factor that lets every token go to one expert: the buffers fill up when that happens.
private func configuration(tokens: Int) throws(Failure) -> ResolvedConfiguration {
    let yaml = """
        data: {train: synthetic}
        model: {d_model: 64, layers: 2, heads: 2, context: 64, vocabulary_size: 61, experts: 4}
        routing: {capacity_factor: 4.0}
        batch: {tokens: \(tokens), micro_batch_tokens: 512}
        train: {steps: 200}
        optimizer: {learning_rate: 0.001}
        schedule: {kind: constant}
        """
    return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "memory trial")).resolved(tokenizer: 1)
}
