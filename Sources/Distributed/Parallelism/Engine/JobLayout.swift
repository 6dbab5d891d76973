package import Configuration
package import Diagnostics

/// How a configuration is laid out on a number of ranks, checked.
package struct JobLayout: Sendable {
    package let ranks: Int
    package let expertParallel: Int
    package let rounds: Int
    /// What the configuration asks for, but 1 where no lane could hide another's exchanges: where a rank has one lane, or
    /// all experts.
    package let lanesInFlight: Int

    package init(_ configuration: RunConfiguration, ranks: Int) throws(Failure) {
        let lanes = configuration.batch.lanes
        guard ranks <= lanes else {
            throw Failure(
                .configuration,
                "\(ranks) ranks, but a step has only \(lanes) lane\(lanes == 1 ? "" : "s") (batch.tokens "
                    + "\(configuration.batch.tokens) / batch.micro_batch_tokens \(configuration.batch.laneTokens)): some ranks would "
                    + "never have work",
                advice: "start at most \(lanes) ranks, make batch.micro_batch_tokens smaller, or batch.tokens larger")
        }
        self.ranks = ranks
        expertParallel = try configuration.parallel.resolvedExpertParallel(
            experts: configuration.model.expertCounts, ranks: ranks)
        rounds = (lanes + ranks - 1) / ranks
        lanesInFlight = rounds > 1 && expertParallel > 1 ? configuration.parallel.lanesInFlight : 1
    }
}
