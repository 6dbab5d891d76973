import Collectives
import Configuration
import Data
import Model
import Parallelism
import Tensors
import Threading

/// Forward and backward of the lanes of one step on this rank: what lanes in flight share.
struct LaneWork: Sendable {
    let configuration: RunConfiguration
    let mesh: Mesh
    let model: LanguageModel
    let source: any SequenceSource
    let gradients: GradientAccumulator
    let ledger: LaneLedger
    let parameters: ParameterArena
    /// Before this step.
    let consumed: Consumed
    /// Sums gradients that are complete while the backward pass goes on, if anything does.
    let overlapped: OverlappedReduction?

    /// This rank's lane of a round, or its part in the others' lanes if it has none. **Collective** over the expert group.
    /// - Parameter lane: takes the tokens
    func compute(round: Int, in lane: Lane, on thread: LaneThread) throws(CommunicationError) {
        let batch = configuration.batch, number = mesh.lane(round: round, of: batch.lanes)
        thread.workers.tracer?.begin(.lane, number ?? -1)
        defer { thread.workers.tracer?.end() }
        if let number { source.fill(lane, number: number, after: consumed, of: configuration) }
        let pass = BackwardContext(
            thread.pass(.training, parameters, sequenceLength: lane.sequenceLength), gradients: gradients,
            scale: LossScale(predictedTokens: batch.tokens, lanes: batch.lanes))
        let statistics = try model.train(number == nil ? lane.prefix(sequences: 0) : lane, in: pass) { block in
            // Of two lanes in flight that of the last round comes through a block last.
            if round == mesh.rounds(lanes: batch.lanes) - 1 { handOver(through: block, on: thread.workers) }
        }
        if let number { ledger.enter(statistics, lane: number) }
    }
}

extension LaneWork {
    /// The gradients that are complete once the last lane's backward pass has come through a block.
    func handOver(through block: Int, on workers: Workers) {
        overlapped?.handOver(through: block) { gradients.finish($0, on: workers) }
    }
}

extension SequenceSource {
    /// Sequence s of lane l of a step is sequence `consumed.sequences + l·perLane + s` of the run.
    func fill(_ lane: Lane, number: Int, after consumed: Consumed, of configuration: RunConfiguration) {
        let perLane = configuration.sequencesPerLane, context = configuration.model.context
        let first = consumed.sequences + number * perLane
        for s in 0..<perLane {
            let place = s * context..<(s + 1) * context
            var inputs = lane.inputs[place].mutableSpan, targets = lane.targets[place].mutableSpan
            fill(sequence: first + s, inputs: &inputs, targets: &targets)
        }
    }
}
