import Collectives
import Configuration
package import Model
package import Parallelism
import Tensors
package import Threading

/// All that changes while training: parameters, their moments and how far it has come. Data order is a function of the
/// sequences consumed, the schedule one of the tokens.
package struct TrainingState: Sendable {
    package let parameters: ParameterArena
    package let firstMoment: Moment
    package let secondMoment: Moment
    /// The exponential moving average of the parameters, where the configuration asks for one.
    package let average: Moment?
    /// The slices of the arenas that this rank updates, and writes into checkpoints.
    let ownedRanges: [Range<Int>]
    /// Optimizer steps done.
    package var step = 0
    /// Data used in them.
    package var consumed = Consumed()
    /// Which of them were applied.
    package var stepGuard = StepGuard()

    /// Updates of the parameters done.
    var updates: Int { step - stepGuard.skipped }

    /// What a rank of this engine trains; where optimizers are distributed it holds moments of its own slices only.
    package init(for engine: Engine) {
        parameters = ParameterArena(engine.layout, for: engine.precision)
        ownedRanges = engine.ownedRanges
        let ranges = engine.isOptimizerDistributed ? engine.ownedRanges : [0..<engine.layout.count]
        firstMoment = Moment(over: ranges)
        average = engine.optimizer.keepsAverage ? Moment(over: ranges) : nil
        secondMoment = Moment(over: engine.optimizer.kind.secondMoment(of: engine.layout, in: ranges))
    }
}

extension TrainingState {
    /// The parameters that training starts from.
    package func initialize(by initialization: Initialization, on pool: ThreadPool) {
        initialization.fill(parameters, on: pool)
        beginAverage()
    }

    /// The average of no updates: the parameters.
    func beginAverage() {
        guard let average else { return }
        for range in average.ranges { average[range].copy(from: parameters.values[range]) }
    }

    /// Exchanges parameters and their average, on all ranks: what follows computes with the average, until this is called again
    /// and all is as it was. **Collective** over the world.
    func exchangeAverage(on engine: Engine) throws(CommunicationError) {
        guard let average else { return }
        let pieces = average.ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: ChunkPlan.extent).map {
                $0..<min($0 + ChunkPlan.extent, range.upperBound)
            }
        }
        let values = parameters.values
        engine.workers.run(pieces.count) { _, index in exchange(values[pieces[index]], average[pieces[index]]) }
        if engine.isOptimizerDistributed {
            try engine.reduction.gather(parameters, clock: engine.dispatcher.clock)
        }
        parameters.refresh(on: engine.workers)
    }
}

private func exchange(_ a: Vector<Float>, _ b: Vector<Float>) {
    var a = unsafe a.unsafeMutableSpan, b = unsafe b.unsafeMutableSpan
    precondition(a.count == b.count)
    for i in a.indices { (a[i], b[i]) = (b[i], a[i]) }
}

extension OptimizerKind {
    /// Where in `ranges` of the arenas a parameter has a second moment: Muon needs none of its matrices.
    func secondMoment(of layout: ParameterLayout, in ranges: [Range<Int>]) -> [Range<Int>] {
        guard self == .muon else { return ranges }
        let others = layout.entries.filter { $0.hiddenWidths.isEmpty }
        return ranges.flatMap { range in others.map { $0.range.clamped(to: range) } }.filter { !$0.isEmpty }
    }
}
