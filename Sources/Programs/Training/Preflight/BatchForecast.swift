import Configuration
import Diagnostics
import Parallelism

/// The lines of `train --check` about the sizes of steps.
extension ForecastTable {
    var stepRows: [(String, String)] {
        let batch = configuration.batch
        guard !batch.ramp.isEmpty else { return [("step", inWords(batch.largestStep))] }
        var rows = batch.ramp.map { stage in
            ("step", inWords(batch.step(of: stage.tokens)) + ", until \(grouped(stage.until)) tokens of the run")
        }
        rows.append(("step", inWords(batch.step(of: batch.tokens)) + ", then"))
        if let cost = idleRanksInWords { rows.append(("idle ranks", cost)) }
        return rows
    }

    private func inWords(_ step: StepBatch) -> String {
        let count = step.accumulationSteps(ranks: layout.ranks)
        return
            "\(grouped(step.tokens)) tokens in \(grouped(step.microBatches)) micro-batch\(step.microBatches == 1 ? "" : "es"), "
            + "\(grouped(count)) accumulation step\(count == 1 ? "" : "s"), \(min(count, layout.microBatchesInFlight)) in flight on a rank"
    }

    /// What it costs that some stages have fewer micro-batches than there are ranks; nil if none has.
    private var idleRanksInWords: String? {
        let batch = configuration.batch
        let fewest = batch.stages.map { batch.step(of: $0.tokens).microBatches }.min() ?? layout.ranks
        guard fewest < layout.ranks else { return nil }
        let steps = configuration.stepsLeft(after: origin?.step ?? 0, consumed)
        func turns(_ steps: EqualSteps) -> Double {
            Double(steps.count) * Double(steps.batch.accumulationSteps(ranks: layout.ranks) * layout.ranks)
        }
        func used(_ steps: EqualSteps) -> Double { Double(steps.count) * Double(steps.batch.microBatches) }
        let idle = 1 - steps.reduce(0) { $0 + used($1) } / max(1, steps.reduce(0) { $0 + turns($1) })
        return
            "up to \(layout.ranks - fewest) of \(layout.ranks) ranks have no micro-batch in the ramp and only serve their "
            + "experts; \(decimals(100 * idle, 1)) % of the ranks' turns in the whole run compute none"
    }
}
