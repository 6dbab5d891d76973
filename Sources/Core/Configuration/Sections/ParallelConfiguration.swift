package import Diagnostics

/// How the job is laid out; nothing of it changes what is computed (invariant 1 of docs/architecture.md).
package struct ParallelConfiguration: Sendable, Equatable {
    /// Ranks that share out one set of experts; nil: as many as possible.
    package var expertParallelSize: Int?
    package var threadsPerRank: Int
    /// Micro-batches a rank computes in turns, so that one's exchanges hide behind the other's computing: 1 or 2.
    package var microBatchesInFlight: Int
    /// Whether the ranks that hold the same parameters share out their moments and updates (ZeRO, stage 1).
    package var distributedOptimizer: Bool
    /// Whether gradients are summed while the backward pass goes on.
    package var overlapReduction: Bool

    package init(reading section: ConfigurationSection) throws(Failure) {
        expertParallelSize = try section.integerOrAuto("expert_parallel", in: 1...1 << 20)
        threadsPerRank = try section.integer("threads_per_rank", default: 1, in: 1...1024)
        microBatchesInFlight = try section.integer("micro_batches_in_flight", default: 1, in: 1...2)
        overlapReduction = try section.boolean("overlap_reduction", default: false)
        distributedOptimizer = try section.boolean("distributed_optimizer", default: false)
    }

    /// The expert-parallel sizes that layers of `experts` experts each on `ranks` ranks allow: divisors of all, ascending.
    package static func allowedExpertParallelSizes(experts: [Int], ranks: Int) -> [Int] {
        (1...ranks).filter { size in ranks % size == 0 && experts.allSatisfy { $0 % size == 0 } }
    }

    /// The size to use: the given one if it is allowed, or the largest that is.
    /// - Parameter experts: of each layer
    package func resolvedExpertParallelSize(experts: [Int], ranks: Int) throws(Failure) -> Int {
        let allowed = Self.allowedExpertParallelSizes(experts: experts, ranks: ranks)
        guard let expertParallelSize else { return allowed.last! }
        guard allowed.contains(expertParallelSize) else {
            // A dense layer has none, which anything divides.
            let layer = experts.firstIndex { $0 % expertParallelSize != 0 } ?? experts.firstIndex { $0 > 0 } ?? 0
            let isUniform = experts.allSatisfy { $0 == experts[layer] || $0 == 0 }
            throw Failure(
                .configuration,
                "`parallel.expert_parallel` is \(expertParallelSize), but it must divide both the \(experts[layer]) experts of "
                    + "\(isUniform ? "a layer" : "layer \(layer)") and the \(ranks) ranks of the job",
                advice:
                    "allowed here are \(allowed.map(String.init).joined(separator: ", ")); `auto` takes \(allowed.last!)"
            )
        }
        return expertParallelSize
    }
}
