package import Diagnostics
import Platform
import RunFormat

/// Trains a row again, from its beginning and apart from the study's runs, and compares its results with those of the table.
/// - Returns: what was found, if it is the same to the bit
/// - Throws: `data` if it is not
package func repeatRow(
    _ row: StudyRow, of study: Study, _ queue: StudyQueue, _ launcher: StudyLauncher
) throws(Failure) -> String {
    guard let known = try queue.outcome(of: row), !known.results.isEmpty else {
        throw Failure(
            .usage, "row \(row.name) has no results to compare with", advice: "without --only the study trains it")
    }
    let place = study.directory.repetition(row.name)
    let job = try StudyJob(row, in: place, of: study.directory, launcher)
    while true {
        guard let ending = job.ending() else {
            if SignalRequests.pending.contains(.stop) { job.askToStop() }
            usleep(200_000)
            continue
        }
        switch ending {
        case .postponed:
            throw Failure(
                .temporaryFailure, "asked to leave: \(place) has saved", advice: "start the same command again")
        case .failed(let reason): throw Failure(.software, "row \(row.name): \(reason) (\(job.log))")
        case .finished(let outcome):
            guard outcome == known else { throw difference(outcome.results, known.results, place) }
            return
                "\(row.name): \(known.results.count) result\(known.results.count == 1 ? "" : "s"), the same to the bit"
        }
    }
}

private func difference(_ found: [StudyResult], _ known: [StudyResult], _ place: String) -> Failure {
    let pair = zip(found, known).first { $0 != $1 }
    let what = pair.map { found, known in
        "after \(known.tokens) tokens the loss is \(shortest(found.loss)) and the parameters' digest \(found.digest), not "
            + "\(shortest(known.loss)) and \(known.digest)"
    }
    return Failure(
        .data, "\(place): \(what ?? "it ended otherwise than before")",
        advice: "other kernels, another number of ranks without `reproducible: true`, or other data give other bits")
}
