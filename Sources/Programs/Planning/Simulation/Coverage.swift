package import Diagnostics

/// How often 80 % intervals hold the parameters that made the runs.
package struct Coverage: Sendable {
    package let law: String
    package let parameters: [String]
    /// Fits by parameter: all, those that determine it, and those of them whose interval holds it.
    package private(set) var fits = 0
    package private(set) var determined: [Int]
    package private(set) var held: [Int]

    package init(_ law: LawMetadata) {
        self.law = law.name
        parameters = law.parameters.map(\.name)
        determined = Array(repeating: 0, count: parameters.count)
        held = determined
    }

    /// Fits tables of `law` with the seeds `seeds` and counts.
    ///
    /// - Throws: a `Failure` of a fit
    package static func measure(
        _ law: some ScalingLaw, runs: Int, seeds: ClosedRange<UInt64>, outliers: Double,
        progress: (FitReport) -> Void = { _ in }
    ) throws(Failure) -> Coverage {
        let form = type(of: law)
        var coverage = Coverage(form.metadata), options = FitOptions()
        options.resamples = 0
        for seed in seeds {
            let table = SimulatedTable(seed: seed, outliers: outliers).runs(law, count: runs)
            let report = try FitReport(form, table, options)
            progress(report)
            coverage.count(report.record, truth: law.parameters)
        }
        return coverage
    }

    private mutating func count(_ record: FitRecord, truth: [Double]) {
        fits += 1
        for (j, name) in parameters.enumerated() where record.undetermined[name] == nil {
            guard let interval = record.intervals[name] else { continue }
            determined[j] += 1
            if interval[0] <= truth[j], truth[j] <= interval[1] { held[j] += 1 }
        }
    }

    /// The ratio over all parameters.
    package var ratio: Double { Double(held.reduce(0, +)) / Double(max(1, determined.reduce(0, +))) }

    /// One line a parameter: its name, and percent of the intervals that hold it, of how many.
    package var text: String {
        let lines = parameters.indices.map { j in
            let percent =
                determined[j] == 0 ? "–" : "\(decimals(100 * Double(held[j]) / Double(determined[j]), 1)) %"
            return "\(law)  \(parameters[j])  \(percent) of \(determined[j]) in \(fits) fits"
        }
        return (lines + ["\(law)  all  \(decimals(100 * ratio, 1)) %"]).joined(separator: "\n")
    }
}
