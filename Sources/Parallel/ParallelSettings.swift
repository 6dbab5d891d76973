package import Diagnostics
package import Settings

/// How the job is laid out; nothing of it changes what is computed (invariant 1 of docs/architecture.md).
package struct ParallelSettings: Sendable, Equatable {
    /// Ranks that share out one set of experts; nil: as many as possible.
    package var expertParallel: Int?
    package var threadsPerRank: Int
    /// Whether the ranks that hold the same parameters share out their moments and updates (ZeRO, stage 1).
    package var distributedOptimizer: Bool
    /// Whether gradients are summed while the backward pass goes on.
    package var overlapReduction: Bool

    package init(reading section: SettingsSection) throws(Failure) {
        expertParallel = try section.integerOrAuto("expert_parallel", in: 1...1 << 20)
        threadsPerRank = try section.integer("threads_per_rank", default: 1, in: 1...1024)
        overlapReduction = try section.boolean("overlap_reduction", default: false)
        distributedOptimizer = try section.boolean("distributed_optimizer", default: false)
    }

    /// The expert-parallel sizes that `experts` experts on `ranks` ranks allow: divisors of both, ascending.
    package static func allowedExpertParallel(experts: Int, ranks: Int) -> [Int] {
        (1...min(experts, ranks)).filter { experts % $0 == 0 && ranks % $0 == 0 }
    }

    /// The size to use: the given one if it is allowed, or the largest that is.
    package func resolvedExpertParallel(experts: Int, ranks: Int) throws(Failure) -> Int {
        let allowed = Self.allowedExpertParallel(experts: experts, ranks: ranks)
        guard let expertParallel else { return allowed.last! }
        guard allowed.contains(expertParallel) else {
            throw Failure(
                .configuration,
                "`parallel.expert_parallel` is \(expertParallel), but it must divide both the \(experts) experts of a layer "
                    + "and the \(ranks) ranks of the job",
                advice:
                    "allowed here are \(allowed.map(String.init).joined(separator: ", ")); `auto` takes \(allowed.last!)"
            )
        }
        return expertParallel
    }
}
