import Collectives
import Configuration
import Data
import Model
import Parallelism
import Tensors
import Threading

/// Forward and backward of the micro-batches of one step on this rank: what micro-batches in flight share.
struct MicroBatchPass: Sendable {
    let configuration: ResolvedConfiguration
    let batch: StepBatch
    let mesh: Mesh
    let model: LanguageModel
    let source: any SequenceSource
    let gradients: GradientAccumulator
    let ledger: MicroBatchTable
    let loads: ExpertLoadTable?
    let parameters: ParameterArena
    /// Before this step.
    let consumed: Consumed
    /// Sums gradients that are complete while the backward pass goes on, if anything does.
    let overlapped: OverlappedReduction?

    /// This rank's micro-batch of a round, or its part in the others' micro-batches if it has none. **Collective** over the
    /// expert group.
    /// - Parameter microBatch: takes the tokens
    func compute(accumulationStep: Int, in microBatch: MicroBatch, on thread: MicroBatchRunner)
        throws(CommunicationError)
    {
        let number = mesh.microBatch(accumulationStep: accumulationStep, of: batch.microBatches)
        thread.workers.tracer?.begin(.microBatch, number ?? -1)
        defer { thread.workers.tracer?.end() }
        if let number { source.fill(microBatch, number: number, after: consumed, of: configuration) }
        let microBatch = number == nil ? microBatch.prefix(sequences: 0) : microBatch
        let pass = BackwardContext(
            thread.pass(.training, parameters, of: microBatch), gradients: gradients,
            scale: LossScale(predictedTokens: batch.tokens, microBatches: batch.microBatches))
        let statistics = try model.train(microBatch, in: pass) { block in
            // Of two micro-batches in flight that of the last round comes through a block last.
            if accumulationStep == mesh.accumulationSteps(microBatches: batch.microBatches) - 1 {
                reduceCompleted(through: block, on: thread.workers)
            }
        }
        guard let number else { return }
        ledger.record(statistics, microBatch: number)
        loads?.add(statistics)
        if source.sourceCount > 1 { recordSources(pass.workspace.losses, microBatch: number) }
    }

    /// - Parameter losses: `[tokens]`, of all sequences of micro-batch `number`
    private func recordSources(_ losses: Vector<Float>, microBatch number: Int) {
        let context = configuration.model.context, perMicroBatch = configuration.sequencesPerMicroBatch
        for s in 0..<perMicroBatch {
            ledger.record(
                losses[s * context..<(s + 1) * context],
                ofSource: source.source(ofSequence: consumed.sequences + number * perMicroBatch + s), microBatch: number
            )
        }
    }
}

extension MicroBatchPass {
    /// The gradients that are complete once the last micro-batch's backward pass has come through a block.
    func reduceCompleted(through block: Int, on workers: ThreadPool) {
        overlapped?.reduceCompleted(through: block) { gradients.finish($0, on: workers) }
    }
}

extension SequenceSource {
    /// Sequence s of micro-batch l of a step is sequence `consumed.sequences + l·perMicroBatch + s` of the run.
    func fill(_ microBatch: MicroBatch, number: Int, after consumed: Consumed, of configuration: ResolvedConfiguration)
    {
        let perMicroBatch = configuration.sequencesPerMicroBatch, context = configuration.model.context
        let first = consumed.sequences + number * perMicroBatch
        for s in 0..<perMicroBatch {
            let place = s * context..<(s + 1) * context
            var inputs = unsafe microBatch.inputs[place].unsafeMutableSpan,
                targets = unsafe microBatch.targets[place].unsafeMutableSpan
            fill(sequence: first + s, inputs: &inputs, targets: &targets)
            guard let documentStarts = microBatch.documentStarts else { continue }
            var starts = unsafe documentStarts[place].unsafeMutableSpan
            self.documentStarts(ofSequence: first + s, into: &starts)
        }
    }
}
