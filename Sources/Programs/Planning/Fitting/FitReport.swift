package import Diagnostics
import Platform

extension Fit {
    /// The 80 % interval of parameter j.
    func interval(_ j: Int) -> [Double] { [intervals[j].low, intervals[j].high] }

    /// Of log residuals over all runs.
    var criteria: InformationCriteria {
        InformationCriteria(
            squares: residuals.reduce(0) { $0 + $1.logResidual * $1.logResidual }, runs: runs.count,
            parameters: Law.metadata.parameters.count)
    }

    /// The part of the differences between the runs' log losses that the law explains beyond what as many free parameters
    /// explain of noise: the adjusted R². At most 1; 0 or less for a law that says nothing of these runs.
    var explained: Double {
        let logs = runs.map { log($0.loss) }, n = Double(logs.count)
        let mean = logs.reduce(0, +) / n
        let total = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let left = residuals.reduce(0) { $0 + $1.logResidual * $1.logResidual }
        return 1 - left / total * (n - 1) / max(1, n - Double(Law.metadata.parameters.count))
    }

    /// The sizes of the runs.
    var domain: FittedDomain {
        func range(_ values: [Double]) -> ClosedRange<Double> { (values.min() ?? 0)...(values.max() ?? 0) }
        let points = runs.map(\.point)
        return FittedDomain(
            active: range(points.map(\.active)), tokens: range(points.map(\.tokens)),
            experts: range(points.map(\.experts)),
            tokensPerParameter: points.map { $0.tokens / $0.active }.max() ?? 0)
    }

    var residuals: [Residual] {
        let out = Set(heldOut)
        let logs = FitProblem<Law>(runs, objective).logResiduals(of: law)
        return runs.indices.map { i in
            Residual(
                run: runs[i], predicted: law.loss(at: runs[i].point), logResidual: logs[i], heldOut: out.contains(i))
        }
    }
}

/// One run beside what the law says of it.
package struct Residual: Sendable {
    package let run: RunMeasurement
    package let predicted: Double
    /// `ln L_run − ln L_law`
    package let logResidual: Double
    package let heldOut: Bool

    init(run: RunMeasurement, predicted: Double, logResidual: Double, heldOut: Bool) {
        self.run = run
        self.predicted = predicted
        self.logResidual = logResidual
        self.heldOut = heldOut
    }

    /// A run that the fit of the law may not have seen.
    package init(_ run: RunMeasurement, of law: any ScalingLaw) {
        let predicted = law.loss(at: run.point)
        self.init(run: run, predicted: predicted, logResidual: log(run.loss / predicted), heldOut: false)
    }
}

/// One law fitted to runs, whatever the law.
package struct FitReport: Sendable {
    package let record: FitRecord
    package let law: any ScalingLaw
    package let residuals: [Residual]

    /// Fits the law of `form`.
    ///
    /// - Throws: a `Failure` if the runs cannot determine it
    package init(_ form: any ScalingLaw.Type, _ runs: [RunMeasurement], _ options: FitOptions) throws(Failure) {
        func fit<Law: ScalingLaw>(_ form: Law.Type) throws(Failure) -> (FitRecord, any ScalingLaw, [Residual]) {
            let fit = try Fit<Law>(runs, options)
            return (FitRecord(fit), fit.law, fit.residuals)
        }
        (record, law, residuals) = try fit(form)
    }

    /// The fit for people.
    package var text: String {
        let metadata = type(of: law).metadata
        var table = TextTable(["", "value", "80 % interval"])
        for (name, value) in zip(metadata.parameters.map(\.name), record.values) {
            guard record.undetermined[name] == nil, let interval = record.intervals[name] else {
                table.add([name, "–", "not determined"])
                continue
            }
            let ends = interval.map { significant($0, 4) }.joined(separator: " … ")
            table.add([name, significant(value, 5), ends])
        }
        var lines = [
            "\(metadata.title): \(metadata.formula)", "  \(metadata.source)", "",
            table.text, "",
            "\(record.runs) runs, of which \(record.heldOut) with the lowest losses were held out to judge the fit",
            "RMSE \(significant(record.rmseTrain, 3))\(metadata.observes.unit) on the others, "
                + (record.rmseHeldOut.map { "\(significant($0, 3)) held out" } ?? "none held out"),
        ]
        if !record.undetermined.isEmpty {
            lines += ["", "These runs do not determine"]
            lines += metadata.parameters.compactMap { parameter in
                record.undetermined[parameter.name].map { "  \(parameter.name): \($0)" }
            }
            if record.explainsRuns {
                lines.append(
                    "Predictions near the runs hold all the same; more experts, sizes or runs would settle it.")
            }
        }
        if let caution = record.caution { lines += ["", "Beware: \(caution)."] }
        return lines.joined(separator: "\n")
    }
}
