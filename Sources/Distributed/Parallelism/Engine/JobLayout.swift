package import Configuration
package import Diagnostics

/// How a configuration is laid out on a number of ranks, checked.
package struct JobLayout: Sendable {
    package let ranks: Int
    package let expertParallelSize: Int
    /// Of the largest step.
    package let accumulationSteps: Int
    /// What the configuration asks for, but 1 where no micro-batch could hide another's exchanges: where a rank has one
    /// micro-batch, or all experts.
    package let microBatchesInFlight: Int

    package init<Vocabulary>(_ configuration: RunDescription<Vocabulary>, ranks: Int) throws(Failure) {
        let largest = configuration.batch.largestStep, microBatches = largest.microBatches
        guard ranks <= microBatches else {
            throw Failure(
                .configuration,
                "\(ranks) ranks, but a step has only \(microBatches) micro-batch\(microBatches == 1 ? "" : "es") (batch.tokens "
                    + "\(largest.tokens) / batch.micro_batch_tokens \(configuration.batch.microBatchTokens)): some ranks would "
                    + "never have work",
                advice:
                    "start at most \(microBatches) ranks, make batch.micro_batch_tokens smaller, or batch.tokens larger"
            )
        }
        self.ranks = ranks
        expertParallelSize = try configuration.parallel.resolvedExpertParallelSize(
            experts: configuration.model.expertCounts, ranks: ranks)
        accumulationSteps = largest.accumulationSteps(ranks: ranks)
        microBatchesInFlight =
            accumulationSteps > 1 && expertParallelSize > 1 ? configuration.parallel.microBatchesInFlight : 1
    }
}
