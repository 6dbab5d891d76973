import Randomness

extension FitProblem {
    /// Parameters of laws fitted to resamples of `runs` (as many runs, drawn with replacement), each from `theta`.
    static func bootstrap(
        _ runs: [RunMeasurement], _ objective: FitObjective, from theta: [Double], _ options: FitOptions
    ) -> [[Double]] {
        parallelMap(options.resamples) { sample in
            let random = RandomFunction(seed: options.seed, purpose: .sampling, stream: UInt64(sample))
            var counts = Array(repeating: 0.0, count: runs.count)
            for draw in runs.indices { counts[Int(random.integer(UInt64(draw), below: UInt64(runs.count)))] += 1 }
            let problem = FitProblem(runs, objective, counts: counts)
            let end = problem.refine(from: theta, steps: 60)
            return Law(coordinates: end?.theta ?? theta).parameters
        }
    }
}
