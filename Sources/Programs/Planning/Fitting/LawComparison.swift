package import Diagnostics
import Platform

/// Akaike's and Schwarz's criteria of a law's log residuals `r_i`, taken as normal with a variance of their own, which is the
/// last of k parameters: `n·ln(Σ r²/n)` plus `2·k`, or `ln n·k`. Lower is better; only differences on the same runs mean
/// something.
///
/// Laws are fitted by Huber losses and not by this likelihood, so each is judged at a law that is a little below its largest.
struct InformationCriteria: Sendable {
    let aic, bic: Double
    /// AIC with the correction for few runs (Hurvich & Tsai 1989); nil for too few.
    let aicc: Double?

    /// - Parameters:
    ///   - squares: `Σ r²`
    ///   - runs: n
    ///   - parameters: of the law, without the variance
    init(squares: Double, runs: Int, parameters: Int) {
        let n = Double(runs), k = Double(parameters + 1)
        let misfit = n * log(max(squares / n, 1e-32))
        aic = misfit + 2 * k
        aicc = n > k + 1 ? misfit + 2 * k + 2 * k * (k + 1) / (n - k - 1) : nil
        bic = misfit + k * log(n)
    }
}

/// Several laws fitted to the same runs, the most credible first.
package struct LawComparison: Sendable {
    /// One law beside the others.
    package struct Entry: Sendable, Encodable {
        package let law: String
        /// Parameters of the law.
        package let parameters: Int
        package let runs: Int
        package let heldOut: Int
        package let aic: Double
        package let aicc: Double?
        package let bic: Double
        /// AICc above that of the first law (AIC where any law has too few runs for AICc).
        package let difference: Double
        /// Akaike's weight, `exp(−difference/2)` over the sum of all.
        package let weight: Double
        package let rmseTrain: Double
        /// Of the law fitted without the held-out runs.
        package let rmseHeldOut: Double?

        enum CodingKeys: String, CodingKey {
            case law, parameters, runs, aic, aicc, bic, difference, weight
            case heldOut = "held_out"
            case rmseTrain = "rmse_train"
            case rmseHeldOut = "rmse_held_out"
        }
    }

    package let entries: [Entry]

    /// Compares fits to the same runs.
    package init(_ reports: [FitReport]) {
        let judged = reports.map { report -> (record: FitRecord, criteria: InformationCriteria) in
            let squares = report.residuals.reduce(0) { $0 + $1.logResidual * $1.logResidual }
            return (
                report.record,
                InformationCriteria(
                    squares: squares, runs: report.record.runs, parameters: report.record.values.count)
            )
        }
        let isCorrected = judged.allSatisfy { $0.criteria.aicc != nil }
        let scores = judged.map { isCorrected ? $0.criteria.aicc ?? $0.criteria.aic : $0.criteria.aic }
        let least = scores.min() ?? 0
        let total = scores.reduce(0) { $0 + exp((least - $1) / 2) }
        entries = zip(judged, scores).sorted { $0.1 < $1.1 }.map { law, score in
            Entry(
                law: law.record.law, parameters: law.record.values.count, runs: law.record.runs,
                heldOut: law.record.heldOut, aic: law.criteria.aic, aicc: law.criteria.aicc, bic: law.criteria.bic,
                difference: score - least, weight: exp((least - score) / 2) / total, rmseTrain: law.record.rmseTrain,
                rmseHeldOut: law.record.rmseHeldOut)
        }
    }

    /// Fits every law with the same runs held out, and compares.
    ///
    /// - Parameters:
    ///   - forms: two or more
    ///   - runs: what all laws need of them
    ///   - options: of a law by its name; a tenth of the runs is held out unless they say otherwise
    /// - Throws: a `Failure` if the runs cannot determine one of the laws, or are too few to hold out as many for each
    package init(
        _ forms: [any ScalingLaw.Type], _ runs: [RunMeasurement], options: (String) throws(Failure) -> FitOptions
    ) throws(Failure) {
        var reports: [FitReport] = []
        let most = forms.map { form in form.metadata.parameters.count }.max() ?? 0
        for form in forms {
            var options = try options(form.metadata.name)
            let heldOut = options.heldOut ?? 0.1
            options.heldOut = heldOut
            let kept = runs.count - Int((Double(runs.count) * heldOut).rounded())
            guard kept >= most + 2 else {
                throw Failure(
                    .data,
                    "\(runs.count) runs are too few to compare laws of \(most) parameters: \(kept) are left when "
                        + "\(significant(100 * heldOut, 3)) % are held out",
                    advice: "give \(most + 2) runs or more besides those held out, fewer laws, or a smaller --hold-out")
            }
            reports.append(try FitReport(form, runs, options))
        }
        self.init(reports)
    }

    /// A row for each law.
    package var table: TextTable {
        var table = TextTable(["law", "parameters", "RMSE", "held out", "AIC", "AICc", "BIC", "above", "weight"])
        for entry in entries {
            table.add([
                entry.law, "\(entry.parameters)", significant(entry.rmseTrain, 3),
                entry.rmseHeldOut.map { significant($0, 3) } ?? "–", decimals(entry.aic, 1),
                entry.aicc.map { decimals($0, 1) } ?? "–", decimals(entry.bic, 1), decimals(entry.difference, 1),
                entry.weight < 1e-4 ? "< 0.0001" : decimals(entry.weight, 4),
            ])
        }
        return table
    }

    /// The table with what its columns say.
    package var text: String {
        table.text + "\n\n" + """
            RMSE, held out: of the losses, by laws fitted without the held-out runs, those of lowest loss. AIC, AICc, BIC: of log
            losses taken as normal around laws fitted to all runs; above: AICc above the best; weight: Akaike's.
            """
    }
}
