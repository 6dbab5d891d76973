import ArgumentParser
import Diagnostics
import Planning
import RunFormat

/// How a law is fitted.
struct FitDescentOptions: ParsableArguments {
    @Option(help: "Share of the runs, those of lowest loss, held out to judge the fit.") var holdOut: Double?
    @Option(help: "Where the Huber loss turns linear, in log loss; each paper has its own.") var huber: Double?
    @Option(help: "How much a run counts: equal, or loss (less, the higher its loss is; the joint study).")
    var weights = RunWeighting.equal
    @Option(
        help: "Decay of the law's coordinates in the objective; 1e-5 in the joint study, 5e-4 in the fine-grained one.")
    var weightDecay = 0.0
    @Flag(help: "Descend from every start of the paper's grid, not only from the promising ones.") var fullGrid = false
    @Flag(help: "Leave the held-out runs out of the final fit too.") var trainOnly = false

    /// The options that were given.
    var given: [String] {
        [
            ("--hold-out", holdOut != nil), ("--huber", huber != nil), ("--weights", weights != .equal),
            ("--weight-decay", weightDecay != 0), ("--full-grid", fullGrid),
            ("--train-only", trainOnly),
        ].filter(\.1).map(\.0)
    }

    /// - Throws: a `Failure` about a number outside its range
    func options(_ law: String, _ resampling: ResamplingOptions) throws(Failure) -> FitOptions {
        var options = FitOptions()
        if let holdOut, !(holdOut >= 0 && holdOut <= 0.5) {
            throw Failure(.usage, "--hold-out is a share from 0 to 0.5, not \(holdOut)")
        }
        if let huber, !(huber > 0 && huber.isFinite) { throw Failure(.usage, "--huber must be positive, not \(huber)") }
        guard weightDecay >= 0, weightDecay <= 1 else {
            throw Failure(.usage, "--weight-decay is a number from 0 to 1, not \(weightDecay)")
        }
        options.heldOut = holdOut
        (options.weighting, options.decay) = (weights, weightDecay)
        options.huber = huber
        options.fullGrid = fullGrid
        options.refit = !trainOnly
        options.resamples = try resampling.count()
        options.seed = resampling.seed
        let progress = ProgressDisplay()
        options.progress = { done, all in
            progress.show("fitting \(law): \(done) of \(all) starts", important: done == all)
        }
        return options
    }
}

/// Resamples behind intervals.
struct ResamplingOptions: ParsableArguments {
    @Option(help: "Resamples behind the intervals of planned losses and of minima; 0 for none.") var bootstrap = 100
    @Option(help: "Seed of the resamples.") var seed: UInt64 = 1

    /// - Throws: a `Failure` if there are too many
    func count() throws(Failure) -> Int {
        guard (0...100_000).contains(bootstrap) else {
            throw Failure(.usage, "--bootstrap is a number from 0 to 100000")
        }
        return bootstrap
    }
}

extension RunWeighting: ExpressibleByArgument {}
