import Charts
package import Diagnostics
package import Planning

extension PageSection {
    /// A fitted law: its coefficients, what it leaves over, and what it says should be trained.
    /// - Parameters:
    ///   - name: of the fit's file
    ///   - runs: those that it is compared with; may be empty
    /// - Throws: `data` or `usage` if the record is no fit of a law of losses
    package init(_ record: FitRecord, named name: String, _ runs: [RunMeasurement]) throws(Failure) {
        let law = try record.planningLaw(name: name)
        self.init("Law \(law.metadata.title)")
        paragraphs = [
            law.metadata.formula, law.metadata.source,
            "Fitted to \(record.runs) runs, of which \(record.heldOut) were held out: RMSE "
                + "\(significant(record.rmseTrain, 3)) nats on the others, "
                + (record.rmseHeldOut.map { "\(significant($0, 3)) held out." } ?? "none held out."),
        ]
        if let caution = record.caution { paragraphs.append("Beware: \(caution).") }
        tables = [("Coefficients", record.coefficients(law.metadata))]
        // A table that was made for another law may lack what this one reads.
        let residuals = runs.map { Residual($0, of: law.law) }.filter { $0.logResidual.isDrawable }
        if !residuals.isEmpty { figures.append(Figure(chart: residualPlot(of: law.law, residuals).chart)) }
        if residuals.count < runs.count {
            paragraphs.append(
                "Of \(runs.count) runs of the tables, \(runs.count - residuals.count) are left out of the figures: they lack "
                    + "a column that this law reads, or the law gives them no loss.")
        }
        figures += law.plots(at: runs.map(\.point.flops).max()).map { Figure(chart: $0.chart) }
    }
}

extension FitRecord {
    fileprivate func coefficients(_ metadata: LawMetadata) -> PageTable {
        let rows = zip(metadata.parameters.map(\.name), values).map { name, value in
            guard undetermined[name] == nil, let interval = intervals[name] else {
                return [name, significant(value, 5), "not determined: \(undetermined[name] ?? "no interval")"]
            }
            return [name, significant(value, 5), interval.map { significant($0, 4) }.joined(separator: " … ")]
        }
        return PageTable(header: ["", "value", "80 % interval"], rows: rows)
    }
}

extension PlanningLaw {
    /// What the law says of models around a budget: none where it does not see tokens, or where no model can be built.
    /// - Parameter flops: the budget; nil: that of the largest model and the most tokens of the fitted runs
    fileprivate func plots(at flops: Double?) -> [Plot] {
        var request = PlanRequest(experts: experts)
        request.flops = flops ?? 6 * domain.active.upperBound * domain.tokens.upperBound
        request.vocabularySize = conventions.commonVocabularySize ?? request.vocabularySize
        request.context = conventions.commonContext ?? request.context
        return (try? Plan(request, by: self).plots()) ?? []
    }

    /// Powers of two within the numbers of experts that the law was fitted to.
    private var experts: [Double] {
        let all = [1.0, 2, 4, 8, 16, 32, 64, 128, 256].filter { domain.experts.contains($0) }
        return all.isEmpty ? [domain.experts.lowerBound] : all
    }
}
