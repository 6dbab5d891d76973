import Platform

extension FitProblem {
    /// The ends of descents from the recipe's starts, best first, and how many starts there were.
    ///
    /// Screened: exponents from the grid with projected coefficients, and the best of the grid as it stands, descend
    /// a little; the best of those to the end. Full: every point of the grid descends to the end.
    func search(_ options: FitOptions) -> (ends: [LocalMinimum], starts: Int) {
        let grid = Law.metadata.grid, full = options.fullGrid
        let starts = full ? grid : screened(grid)
        let first = parallelMap(starts.count, progress: { options.progress($0, starts.count) }) { index in
            full ? refine(from: starts[index]) : refine(from: starts[index], steps: 8)
        }
        let promising = distinct(first.compactMap(\.self), within: 1e-6)
        if full { return (promising, grid.count) }
        let finalists = Array(promising.prefix(16))
        let ends = parallelMap(finalists.count) { refine(from: finalists[$0].theta) }
        return (distinct(ends.compactMap(\.self), within: 1e-9), starts.count)
    }

    /// The minima reached from the ends of another problem of the same law, and from the best of them with other values of
    /// Ê's parameters, best first.
    ///
    /// Where a long step has moved E_max to where it no longer matters, its slope is zero, and descent does not bring it
    /// back although the loss may be lower near the numbers of experts that were trained.
    func minima(from ends: [LocalMinimum]) -> [LocalMinimum] {
        var found = distinct(
            parallelMap(min(ends.count, 16)) { refine(from: ends[$0].theta) }.compactMap(\.self), within: 1e-9)
        for _ in 0..<5 {
            guard let best = found.first else { return [] }
            let others = saturationVariants(of: best.theta)
            let more = parallelMap(others.count) { refine(from: others[$0]) }.compactMap(\.self)
            found = distinct(found + more, within: 1e-9)
            if found[0].value >= best.value * (1 - 1e-7) { break }
        }
        return found
    }

    private func saturationVariants(of theta: [Double]) -> [[Double]] {
        let metadata = Law.metadata
        return metadata.parameters.indices.filter { metadata.parameters[$0].isSaturation }.flatMap { j in
            [0.3, 1, 3, 10, 100].map { factor in
                var other = theta
                other[j] = log(factor * metadata.recipe.grid[j][0])
                return other
            }
        }
    }

    /// Ascending in f, one of those whose f agree to a share.
    private func distinct(_ ends: [LocalMinimum], within share: Double) -> [LocalMinimum] {
        var kept: [LocalMinimum] = []
        for end in ends.filter(\.value.isFinite).sorted(by: { $0.value < $1.value }) {
            if let last = kept.last, end.value - last.value <= share * last.value { continue }
            kept.append(end)
        }
        return kept
    }

    private func screened(_ grid: [[Double]]) -> [[Double]] {
        let exponents = Law.metadata.exponentGrid
        let projectedStarts = parallelMap(exponents.count) { projected(exponents[$0]) }
        let ranked = parallelMap(projectedStarts.count) { value(at: projectedStarts[$0]) }
        let kept = ranked.indices.filter { ranked[$0].isFinite }.sorted { ranked[$0] < ranked[$1] }.prefix(96)
        let values = parallelMap(min(grid.count, 20_000)) { value(at: grid[$0]) }
        let best = values.indices.filter { values[$0].isFinite }.sorted { values[$0] < values[$1] }.prefix(32)
        return kept.map { projectedStarts[$0] } + best.map { grid[$0] }
    }

    /// The best of `minima`, how well it is determined, and every parameter's 80 % interval.
    ///
    /// A profile that meets a lower f starts anew from there. Other minima that explain the runs as well as the ends of
    /// the intervals do belong to the intervals.
    func intervals(
        around minima: [LocalMinimum]
    ) -> (best: LocalMinimum, identifiability: Identifiability, intervals: [ProfileInterval]) {
        var best = minima[0]
        for _ in 0..<4 {
            let curvature = Identifiability(self, at: best.theta)
            let rise = intervalRise(at: best.theta)
            guard best.value > 1e-22 * Double(points.count), rise > 0 else {
                return (best, curvature, curvature.intervals(self, at: best.theta))
            }
            let center = best
            let profiles = parallelMap(center.theta.count) { j in
                profile(j, from: center, rise: rise, standardError: curvature.standardErrors[j])
            }
            if let better = profiles.compactMap(\.better).min(by: { $0.value < $1.value }),
                let end = refine(from: better.theta), end.value < best.value
            {
                best = end
                continue
            }
            var intervals = profiles.compactMap(\.interval)
            for other in minima where other.value <= best.value + rise {
                for (j, value) in Law(coordinates: other.theta).parameters.enumerated() {
                    intervals[j].low = min(intervals[j].low, value)
                    intervals[j].high = max(intervals[j].high, value)
                }
            }
            return (best, curvature.judging(intervals, Law.metadata), intervals)
        }
        let curvature = Identifiability(self, at: best.theta)
        return (best, curvature, curvature.intervals(self, at: best.theta))
    }
}
