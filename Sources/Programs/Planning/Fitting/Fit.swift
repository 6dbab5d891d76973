package import Diagnostics
import Platform

/// How to fit.
package struct FitOptions: Sendable {
    /// Share of the runs, those of lowest loss, held out to judge the fit; nil for the recipe's.
    package var heldOut: Double?
    /// δ; nil for the recipe's.
    package var huber: Double?
    package var weighting = RunWeighting.equal
    /// λ of the decay of the law's coordinates.
    package var decay = 0.0
    /// Descend from every start of the recipe's grid, not only from the promising ones.
    package var fullGrid = false
    /// Fit the held-out runs too once they have judged the fit.
    package var refit = true
    /// Bootstrap resamples; 0 for none.
    package var resamples = 100
    package var seed: UInt64 = 1
    /// Hears (done, all) starts.
    package var progress: @Sendable (Int, Int) -> Void = { _, _ in }

    package init() {}

    func objective(_ recipe: FitRecipe) -> FitObjective {
        var objective = FitObjective(huber: huber ?? recipe.huber)
        (objective.weighting, objective.decay) = (weighting, decay)
        return objective
    }
}

/// A law fitted to runs.
package struct Fit<Law: ScalingLaw>: Sendable {
    package let law: Law
    package let runs: [RunMeasurement]
    /// Indices into `runs` that were held out.
    package let heldOut: [Int]
    /// Nats, of the law fitted without the held-out runs.
    package let trainingError: Double
    package let heldOutError: Double?
    /// What the final law left of the objective, over the runs it was fitted to.
    package let minimum: Double
    package let objective: FitObjective
    package let starts: Int
    package let identifiability: Identifiability
    /// Of every parameter.
    package let intervals: [ProfileInterval]
    /// Parameters of laws fitted to resampled runs.
    package let samples: [[Double]]

    /// Fits `Law` to `runs`: descent from the recipe's starts without the held-out runs, choice by training plus held-out
    /// error (Ludziejewski et al. 2025, appendix), then with all runs from the best ends, of which the lowest objective
    /// counts.
    ///
    /// - Throws: a `Failure` if the runs cannot determine the law
    package init(_ runs: [RunMeasurement], _ options: FitOptions = FitOptions()) throws(Failure) {
        let metadata = Law.metadata
        try checkRuns(runs, for: metadata)
        let objective = options.objective(metadata.recipe)
        let order = runs.indices.sorted { runs[$0].loss < runs[$1].loss }
        let kept = metadata.parameters.count + 2
        let asked = Int((Double(runs.count) * (options.heldOut ?? metadata.recipe.heldOut)).rounded())
        let heldOut = Array(order.prefix(max(0, min(asked, runs.count - kept))))
        let training = FitProblem<Law>(order.dropFirst(heldOut.count).sorted().map { runs[$0] }, objective)
        let judge = FitProblem<Law>(heldOut.map { runs[$0] }, objective)
        let (found, starts) = training.search(options)
        let ranked = found.compactMap { end -> (LocalMinimum, Double)? in
            let law = Law(coordinates: end.theta)
            let error = (training.rmse(of: law) ?? 0) + (judge.rmse(of: law) ?? 0)
            return error.isFinite ? (end, error) : nil
        }
        guard let best = ranked.min(by: { $0.1 < $1.1 })?.0 else {
            throw Failure(
                .data, "no start of the fit of `\(metadata.name)` led anywhere: the law is not finite for these sizes",
                advice: "check the units: parameters and tokens are raw counts, the loss is nats per token")
        }
        let used = options.refit ? runs : order.dropFirst(heldOut.count).sorted().map { runs[$0] }
        let problem = FitProblem<Law>(used, objective)
        let minima = options.refit ? problem.minima(from: found) : [best] + found
        let optimum = problem.intervals(around: minima)
        law = Law(coordinates: optimum.best.theta)
        (self.runs, self.heldOut, self.objective, self.starts) = (runs, heldOut.sorted(), objective, starts)
        trainingError = training.rmse(of: Law(coordinates: best.theta)) ?? 0
        heldOutError = judge.rmse(of: Law(coordinates: best.theta))
        minimum = optimum.best.value
        (identifiability, intervals) = (optimum.identifiability, optimum.intervals)
        samples = FitProblem<Law>.bootstrap(used, objective, from: optimum.best.theta, options)
    }
}
