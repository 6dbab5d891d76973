package import Diagnostics
import Foundation
import Platform
import RunFormat
package import Training

/// Who does which row of a study: files in its directory, shared by any number of workers without a server. A row is claimed by a
/// `RunLock`, which its worker's death releases, and done once its results are written.
package final class StudyQueue {
    /// What a row came to.
    package struct Outcome: Codable, Sendable, Equatable {
        package var results: [StudyResult]
        /// What the training said that diverged; nil if it has results.
        package var divergence: String?
    }

    private let study: Study
    /// From the table: rows that another machine may have done.
    private let known: [String: [StudyResult]]
    /// Those found so far: what is done stays so.
    private var found: [String: Outcome] = [:]

    /// - Throws: `data` if the table holds results of other configurations under the names of these rows
    package init(_ study: Study) throws(Failure) {
        self.study = study
        let table = study.directory.table
        guard fileExists(table) else {
            known = [:]
            return
        }
        let text = String(decoding: try RegularFile(table).contents(limit: 1 << 26), as: UTF8.self)
        known = Dictionary(grouping: try StudyTable.results(csv: text, file: table), by: \.row)
        for (name, results) in known {
            let row = study.rows.first { $0.name == name }
            guard let row, results.allSatisfy({ $0.fingerprint == row.fingerprint }) else {
                throw Failure(
                    .data,
                    "\(table) has results of row \(name) "
                        + (row == nil
                            ? "that this study does not have" : "with another configuration than the study's"),
                    advice: "choose another `directory` for the changed study; nothing has been written")
            }
        }
    }

    /// What the row came to; nil if it is not done.
    package func outcome(of row: StudyRow) throws(Failure) -> Outcome? {
        if let outcome = found[row.name] { return outcome }
        if let results = known[row.name], results.count == row.ends.count { return Outcome(results: results) }
        let file = "\(study.directory.queue(row.name))/done.json"
        guard fileExists(file) else { return nil }
        do {
            let bytes = try RegularFile(file).contents(limit: 1 << 24)
            let outcome = try JSONDecoder().decode(Outcome.self, from: Data(bytes))
            // The study's file was changed since: the row is another one.
            guard outcome.results.allSatisfy({ $0.fingerprint == row.fingerprint }) else { return nil }
            guard outcome.divergence != nil || outcome.results.count == row.ends.count else { return nil }
            found[row.name] = outcome
            return outcome
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(
                .data, "\(file) is no result: \(complaint(ofDecoding: error))",
                advice: "remove it, and the row is done again")
        }
    }

    /// Takes a row for this worker.
    /// - Returns: nil if another worker has it
    package func claim(_ row: StudyRow, isCancelled: () -> Bool) throws(Failure) -> RunLock? {
        let place = study.directory.queue(row.name)
        try makeDirectory(place)
        do throws(Failure) {
            return try RunLock(runDirectory: place, waitPolicy: .zero, isCancelled: isCancelled)
        } catch {
            guard error.status == .inUse || error.status == .temporaryFailure else { throw error }
            return nil
        }
    }

    /// Writes down that the row is done.
    package func finish(_ row: StudyRow, _ outcome: Outcome) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        guard let bytes = try? encoder.encode(outcome) else {
            throw Failure(.software, "the results of row \(row.name) have no JSON")
        }
        try replaceFile("\(study.directory.queue(row.name))/done.json", with: Array(bytes))
    }

    /// Writes the table of all rows that are done.
    /// - Returns: the results
    @discardableResult
    package func writeTable() throws(Failure) -> [StudyResult] {
        var results: [StudyResult] = []
        for row in study.rows { results += try outcome(of: row)?.results ?? [] }
        let text = StudyTable.csv(results)
        let table = study.directory.table
        let old = try? RegularFile(table).contents(limit: 1 << 26)
        if !results.isEmpty, old.map({ $0 != Array(text.utf8) }) ?? true {
            try replaceFile(table, with: Array(text.utf8))
        }
        return results
    }
}
