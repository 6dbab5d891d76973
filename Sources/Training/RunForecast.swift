package import Collectives
import Corpora
package import Diagnostics
import Foundation
import Layers
import Machine
import Metrics
import Parallel
import Tensors
import Workers

/// What a run would do: `train --check`.
package struct RunForecast: CustomStringConvertible {
    package let description: String
    package let memory: MemoryEstimate
    /// Why the run would be refused all the same.
    package let obstacle: Failure?

    /// Reads, and leaves nothing behind. **Collective** over `world`.
    /// - Throws: what the run would end with before it computes
    package init(_ given: RunConfiguration, on world: any Communicator) throws(Failure) {
        try agreeOnJob(given, on: world)
        try requireProducts(in: given.precision)
        try requireFewThreads(given.parallel.threadsPerRank, on: world)
        var configuration = given
        let layout = try JobLayout(configuration, ranks: world.size)
        try Agreement(ranks: world).settle { () throws(Failure) in
            guard world.rank == 0 else { return }
            try given.data.requireFiles()
            try RunDirectory(given.directory).rehearse()
        }
        // The corpus is not tokenised here, so an automatic vocabulary is what the tokenizer setting says.
        try configuration.model.settleVocabulary(tokenizer: try configuration.data.expectedVocabulary())
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let workers = Workers(count: min(configuration.parallel.threadsPerRank, processors))
        let rate = Vector<Double>(count: 1)
        do {
            try world.barrier()
            rate[0] = measureGemmPeak(configuration.precision, on: workers, rounds: 3)
            try world.sum(rate)
        } catch {
            throw Failure(lost: error)
        }
        let estimate = MemoryEstimate(configuration, layout)
        memory = estimate
        let account = Self.text(configuration, layout, estimate, gemmPeak: rate[0], available: ProcessMemory.available)
        let binding = try bindingWarning(threadsPerRank: configuration.parallel.threadsPerRank, on: world)
        description = [account, binding].compactMap(\.self).joined(separator: "\n")
        do {
            try requireMemory(estimate, on: world)
            obstacle = nil
        } catch {
            obstacle = error
        }
    }

    private static func text(
        _ configuration: RunConfiguration, _ layout: JobLayout, _ estimate: MemoryEstimate, gemmPeak: Double,
        available: Int?
    ) -> String {
        let work = ModelWork(configuration.model)
        let perfect = work.flopsPerToken * Double(configuration.totalTokens) / gemmPeak
        var rows = [
            ("parameters", "\(grouped(work.totalParameters)), \(grouped(work.activeParameters)) active"),
            (
                "layout",
                "\(layout.ranks) ranks, expert_parallel \(layout.expertParallel), "
                    + "\(configuration.parallel.threadsPerRank) threads a rank"
            ),
            (
                "step",
                "\(grouped(configuration.batch.tokens)) tokens in \(configuration.batch.lanes) lanes, "
                    + "\(layout.rounds) round(s), \(layout.lanesInFlight) in flight on a rank"
            ),
            ("run", "\(grouped(configuration.length.steps)) steps, \(grouped(configuration.totalTokens)) tokens"),
            (
                "work",
                "\(fixed(work.flopsPerToken / 1e6, 1)) MFLOP a token; at best \(duration(perfect)) at the GEMM peak of "
                    + "\(fixed(gemmPeak / 1e9, 0)) GFLOP/s, \(duration(perfect / 0.5)) at half of it"
            ),
            ("checkpoint", bytes(12 * work.totalParameters)),
        ]
        for (kind, size) in estimate.rows { rows.append(("memory: \(kind)", bytes(size))) }
        rows.append(("memory: a rank", bytes(estimate.total)))
        rows.append(("memory: free", available.map(bytes) ?? "unknown"))
        let width = rows.map(\.0.count).max()! + 2
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count) + $0.1 }.joined(separator: "\n")
    }
}
