package import Configuration
import Model
package import Parallelism
import Tensors

/// How much memory one rank needs, by kind, in bytes.
package struct MemoryEstimate: Sendable {
    package let parameters: Int
    package let gradients: Int
    /// Of the rank that holds most.
    package let moments: Int
    /// The average of the parameters, where one is kept. Of the rank that holds most.
    package let average: Int
    package let activations: Int
    package let exchange: Int
    package let scratch: Int
    /// A copy of what the rank saves, where training goes on during a save. Of the rank that saves most.
    package let staging: Int
    package let microBatchesInFlight: Int
    /// Addresses that are reserved but hardly used: stacks of threads, and what libraries map when they are first called.
    let mappedBeside: Int
    /// The process itself: program, libraries, MPI's and HDF5's buffers, as measured with a model of almost nothing
    /// (docs/performance.md); the matrix library's buffers are too small to count.
    package let process = 90 << 20

    package var total: Int { rows.reduce(0) { $0 + $1.bytes } }

    package init(_ configuration: ResolvedConfiguration, _ job: JobLayout) {
        let model = configuration.model, expertParallelSize = job.expertParallelSize
        let layout = ParameterLayout(model, ExpertShard(0, of: expertParallelSize))
        let rounded = configuration.precision == .float32 ? 0 : configuration.precision.size
        parameters = (4 + rounded) * layout.count
        let shards = OptimizerShards(configuration, layout, job)
        (moments, average) = (shards.momentBytes, shards.averageBytes)
        let largest = layout.entries.map(\.count).max() ?? 0
        gradients = configuration.reproducible ? 8 * layout.count + 4 * largest : 4 * layout.count
        let microBatch = WorkspaceMemory(
            model, configuration.routing, configuration.precision, recomputation: configuration.recomputation,
            microBatchTokens: configuration.batch.microBatchTokens, expertParallelSize: expertParallelSize,
            keepsActivations: true,
            threads: configuration.parallel.threadsPerRank)
        microBatchesInFlight = job.microBatchesInFlight
        activations = job.microBatchesInFlight * microBatch.activations
        exchange = job.microBatchesInFlight * microBatch.exchange
        scratch =
            job.microBatchesInFlight * microBatch.scratch + microBatch.sharedScratch
            + MicroBatchTable.bytes(
                microBatches: configuration.batch.largestStep.microBatches, layers: model.layers,
                sources: configuration.data.train.count)
            + shards.scratchBytes
        mappedBeside = 200 << 20 + configuration.parallel.threadsPerRank * (40 << 20)
        staging = configuration.checkpoint.overlaps(ranks: job.ranks) ? shards.savedBytes : 0
    }

    /// Kind and bytes, for tables.
    package var rows: [(kind: String, bytes: Int)] {
        [
            ("parameters", parameters), ("gradients", gradients), ("moments", moments), ("average", average),
            ("activations", activations), ("exchange", exchange), ("scratch", scratch), ("staging", staging),
            ("process", process),
        ]
    }
}

/// What updates take, of the rank that needs most of each.
private struct OptimizerShards {
    private(set) var momentBytes = 0
    private(set) var averageBytes = 0
    /// Parameters, moments and average that a rank writes into checkpoints.
    private(set) var savedBytes = 0
    private(set) var scratchBytes = 0

    init(_ configuration: ResolvedConfiguration, _ layout: ParameterLayout, _ job: JobLayout) {
        let kind = configuration.optimizer.kind
        func moments(in ranges: [Range<Int>]) -> Int {
            (ranges + kind.secondMoment(of: layout, in: ranges)).reduce(0) { $0 + 4 * $1.count }
        }
        let partition = ArenaPartition(
            layout, ranks: job.ranks, expertParallelSize: job.expertParallelSize, keepsMatricesWhole: kind == .muon)
        for rank in 0..<job.ranks {
            let owned = partition.ownedRanges(of: rank)
            let held = configuration.distributesOptimizer ? owned : [0..<layout.count]
            let (ownedBytes, heldBytes) = (4 * owned.reduce(0) { $0 + $1.count }, 4 * held.reduce(0) { $0 + $1.count })
            let keepsAverage = configuration.optimizer.keepsAverage
            momentBytes = max(momentBytes, moments(in: held))
            averageBytes = max(averageBytes, keepsAverage ? heldBytes : 0)
            savedBytes = max(savedBytes, moments(in: owned) + (keepsAverage ? 2 : 1) * ownedBytes)
            guard kind == .muon else { continue }
            let matrices = HiddenMatrices(layout, owning: owned, threads: configuration.parallel.threadsPerRank)
            scratchBytes = max(scratchBytes, 4 * matrices.scratchCount)
        }
    }
}
