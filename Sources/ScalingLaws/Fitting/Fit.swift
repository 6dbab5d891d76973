package import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How to fit.
package struct FitOptions: Sendable {
    /// Share of the runs, those of lowest loss, held out to judge the fit; nil for the recipe's.
    package var heldOut: Double?
    /// δ; nil for the recipe's.
    package var huber: Double?
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
}

/// A law fitted to runs.
package struct Fit<Law: LossLaw>: Sendable {
    package let law: Law
    package let runs: [RunRecord]
    /// Indices into `runs` that were held out.
    package let heldOut: [Int]
    /// Nats, of the law fitted without the held-out runs.
    package let trainingError: Double
    package let heldOutError: Double?
    /// Sum of Huber losses of the final law over the runs it was fitted to.
    package let objective: Double
    package let huber: Double
    package let starts: Int
    package let determinacy: Determinacy
    /// Parameters of laws fitted to resampled runs.
    package let samples: [[Double]]

    /// Fits `Law` to `runs`: descent from the recipe's starts without the held-out runs, choice by training plus held-out
    /// error (Ludziejewski et al. 2025, appendix), then once more with all runs from there.
    ///
    /// - Throws: a `Failure` if the runs cannot determine the law
    package init(_ runs: [RunRecord], _ options: FitOptions = FitOptions()) throws(Failure) {
        let facts = Law.facts
        try checkRuns(runs, for: facts)
        let huber = options.huber ?? facts.recipe.huber
        let order = runs.indices.sorted { runs[$0].loss < runs[$1].loss }
        let kept = facts.parameters.count + 2
        let asked = Int((Double(runs.count) * (options.heldOut ?? facts.recipe.heldOut)).rounded())
        let heldOut = Array(order.prefix(max(0, min(asked, runs.count - kept))))
        let training = FitProblem<Law>(order.dropFirst(heldOut.count).sorted().map { runs[$0] }, huber: huber)
        let judge = FitProblem<Law>(heldOut.map { runs[$0] }, huber: huber)
        let (found, starts) = training.search(options)
        let ranked = found.compactMap { end -> (Descended, Double)? in
            let law = Law(coordinates: end.theta)
            let error = (training.rmse(of: law) ?? 0) + (judge.rmse(of: law) ?? 0)
            return error.isFinite ? (end, error) : nil
        }
        guard let best = ranked.min(by: { $0.1 < $1.1 })?.0 else {
            throw Failure(
                .data, "no start of the fit of `\(facts.name)` led anywhere: the law is not finite for these sizes",
                advice: "check the units: parameters and tokens are raw counts, the loss is nats per token")
        }
        let all = FitProblem<Law>(runs, huber: huber)
        let problem = options.refit ? all : training
        let final = options.refit ? all.settle(from: best.theta) ?? best : best
        law = Law(coordinates: final.theta)
        (self.runs, self.heldOut, self.huber, self.starts) = (runs, heldOut.sorted(), huber, starts)
        trainingError = training.rmse(of: Law(coordinates: best.theta)) ?? 0
        heldOutError = judge.rmse(of: Law(coordinates: best.theta))
        objective = final.value
        determinacy = Determinacy(problem, at: final.theta)
        let used = options.refit ? runs : order.dropFirst(heldOut.count).sorted().map { runs[$0] }
        samples = FitProblem<Law>.bootstrap(used, huber: huber, from: final.theta, options)
    }
}

extension FitProblem {
    /// The ends of descents from the recipe's starts, best first, and how many starts there were.
    ///
    /// Screened: exponents from the grid with projected coefficients, and the best of the grid as it stands, descend
    /// a little; the best of those to the end. Full: every point of the grid descends to the end.
    func search(_ options: FitOptions) -> (ends: [Descended], starts: Int) {
        let facts = Law.facts, grid = facts.grid
        let full = options.fullGrid
        let starts = full ? grid : screened(grid)
        let first = parallelMap(starts.count, progress: { options.progress($0, starts.count) }) { index in
            full
                ? descend(from: starts[index], rounds: 40, iterations: 200)
                : descend(from: starts[index], rounds: 2, iterations: 25)
        }
        let promising = first.compactMap(\.self).filter(\.value.isFinite).sorted { $0.value < $1.value }
        if full { return (promising, grid.count) }
        let finalists = Array(promising.prefix(16))
        let ends = parallelMap(finalists.count) { index in
            descend(from: finalists[index].theta, rounds: 40, iterations: 200)
        }.compactMap(\.self).sorted { $0.value < $1.value }
        let settled = parallelMap(min(ends.count, 4)) { settle(from: ends[$0].theta) }
        return ((settled.compactMap(\.self) + ends).sorted { $0.value < $1.value }, starts.count)
    }

    private func screened(_ grid: [[Double]]) -> [[Double]] {
        let exponents = Law.facts.exponentGrid
        let projectedStarts = parallelMap(exponents.count) { projected(exponents[$0]) }
        let values = parallelMap(min(grid.count, 20_000)) { value(at: grid[$0]) }
        let best = values.indices.filter { values[$0].isFinite }.sorted { values[$0] < values[$1] }.prefix(64)
        return projectedStarts + best.map { grid[$0] }
    }
}
