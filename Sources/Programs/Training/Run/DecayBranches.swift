import Checkpoints
package import Collectives
package import Configuration
package import Diagnostics
package import RunFormat

/// A branch of a run that has ended: its own run, in a directory of its own below the other's.
package struct DecayBranch {
    /// After which it ends, as `train.branches` has it.
    package let tokens: Int
    package let configuration: RunConfiguration

    /// - Parameters:
    ///   - tokens: one of `train.branches`
    ///   - run: the run that it leaves
    package init(endingAt tokens: Int, of run: RunConfiguration) throws(Failure) {
        self.tokens = tokens
        let length =
            switch run.length.goal {
            case .steps: "train.steps=\(run.batch.steps(from: 0, to: tokens).steps)"
            case .tokens: "train.tokens=\(tokens)"
            }
        let directory = RunDirectory(run.directory).branch(endingAt: tokens).path
        configuration = try RunConfiguration(
            ConfigurationDocument(
                yaml: run.yaml, file: "the configuration of the branch",
                overrides: [
                    ConfigurationDocument.override("run.directory", path: directory), length, "train.branches=[]",
                ], isStored: true))
    }

    /// The checkpoint of the run that it begins with; nil if it has some of its own.
    /// - Throws: `data` if the run did not leave it
    func start(of run: RunConfiguration) throws(Failure) -> String? {
        guard CheckpointFolder(RunDirectory(configuration.directory).checkpoints).published.isEmpty else { return nil }
        let folder = CheckpointFolder(RunDirectory(run.directory).checkpoints)
        for (_, directory) in folder.published.reversed() {
            let reader = try CheckpointReader(directory)
            try reader.close()
            if run.branch(endingAt: tokens, leavesAt: try Consumed(of: reader.record).tokens) { return directory }
        }
        throw Failure(
            .data,
            "the branch that ends after \(tokens) tokens has no checkpoint in \(folder.path) to begin with: the run was past that point "
                + "when train.branches was set, or the save failed",
            advice: "take the branch out of train.branches, or train it in a run of its own")
    }
}

/// Trains the branches of a run that has ended, one after another, each to its end or from where it stands. The same bits as
/// runs of that length. **Collective** over `world`.
/// - Parameters:
///   - run: the run
///   - options: of the run
///   - world: all ranks
///   - progress: takes what is said, on rank 0
package func trainBranches(
    of run: RunConfiguration, _ options: TrainingOptions, on world: any Communicator, progress: ProgressDisplay
) throws {
    for tokens in run.length.branches {
        let branch = try DecayBranch(endingAt: tokens, of: run)
        let agreement = Agreement(ranks: world)
        let found = try agreement.onRankZero { () throws(Failure) in try branch.start(of: run) ?? "" }
        let start = try agreement.broadcast(found ?? "")
        var options = options
        options.start = start.isEmpty ? .random : .branch(start)
        options.dataDirectory = RunDirectory(run.directory).data
        if world.rank == 0 {
            progress.log("the branch that ends after \(tokens) tokens: \(branch.configuration.directory)")
        }
        let setup = try TrainingSetup(branch.configuration, on: world, options: options) {
            if world.rank == 0 { progress.log($0) }
        }
        try TrainingRun(setup, on: world, progress: progress).run()
    }
}
