package import Diagnostics
package import Planning
import Platform

/// The law of a study that is done.
package enum StudyFit {
    /// Fits the study's law to its results and keeps the fit in its directory.
    /// - Parameters:
    ///   - study: which law, and where
    ///   - results: all of them
    ///   - note: takes why there is no fit
    /// - Returns: nil if the results determine none
    package static func report(
        _ study: Study, _ results: [StudyResult], note: (String) -> Void
    ) throws(Failure) -> FitReport? {
        guard study.law != "none" else { return nil }
        let form = try LawCatalog.form(named: study.law ?? law(for: results))
        guard results.count > form.metadata.parameters.count else {
            note(
                "no fit: the law `\(form.metadata.name)` has \(form.metadata.parameters.count) parameters, and there are \(results.count) results"
            )
            return nil
        }
        let report: FitReport
        do throws(Failure) {
            let table = try runTable(
                csv: StudyTable.csv(results), file: study.directory.table, for: RunNeeds([form.metadata]))
            report = try FitReport(form, table.records, FitOptions())
        } catch {
            // The runs are there all the same, and another law may suit them.
            note("no fit: \(error.message)")
            return nil
        }
        try replaceFile(study.directory.fit, with: Array(report.record.fileText.utf8))
        return report
    }

    /// The joint law where numbers of experts differ, and Chinchilla's otherwise.
    private static func law(for results: [StudyResult]) -> String {
        Set(results.map(\.experts)).count > 1 ? "joint" : "chinchilla"
    }
}
