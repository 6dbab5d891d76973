package import Diagnostics
import Foundation
import Platform
import RunFormat

/// Which loss of a run a law is fitted to.
package enum LossSource: Sendable {
    /// The validation at the end of the run.
    case validation
    /// The mean training loss of the last fiftieth of the steps.
    case training
}

/// Reads a finished run's directory: sizes from `run.json`, tokens and loss from the end of `metrics.jsonl`.
///
/// - Throws: a `Failure` that names file and line
package func runMeasurement(
    directory: String, loss source: LossSource, for needs: RunNeeds
) throws(Failure) -> RunMeasurement {
    let run = RunDirectory(directory)
    let sizes: RunSizes = try decode(Data(try file(run.summary).contents(limit: 1 << 24)), run.summary, .ofRecords())
    let steps = try metrics(run.metrics)
    guard let last = steps.last else {
        throw Failure(.data, "\(run.metrics) has no steps", advice: "leave out runs that never started")
    }
    var columns = RunColumns(source: directory)
    columns.values = [
        "n_active": sizes.active, "n_total": sizes.total, "experts": sizes.experts, "tokens": last.tokens,
        "flops": sizes.flopsPerToken * last.tokens, "granularity": sizes.granularity ?? 1, "top_k": sizes.topK ?? 1,
    ]
    columns.values["n_embedding"] = sizes.embedding
    columns.values["vocabulary_size"] = sizes.vocabularySize
    columns.values["context"] = sizes.context
    columns.values["loss"] = try finalLoss(steps, last, source, run)
    return try columns.record(for: needs)
}

/// What a fit needs of the records, however many there are.
private struct Steps {
    private(set) var last: StepLosses?
    /// The last one with a validation.
    private(set) var validated: StepLosses?
    /// Of the last steps, at least a fiftieth of all.
    private var losses: [Double?] = []
    private var count = 0

    private var fiftieth: Int { max(1, count / 50) }
    var lastLosses: [Double] { losses.suffix(fiftieth).compactMap(\.self) }

    mutating func add(_ step: StepLosses) {
        last = step
        if step.validationLoss != nil { validated = step }
        count += 1
        losses.append(step.loss)
        if losses.count > 2 * fiftieth + 1024 { losses.removeFirst(losses.count - fiftieth) }
    }
}

private func file(_ path: String) throws(Failure) -> RegularFile {
    do throws(Failure) {
        return try RegularFile(path)
    } catch {
        throw Failure(
            .noInput, "cannot read \(path)",
            advice: "a run directory holds run.json and metrics.jsonl; for a table of runs give a .csv file")
    }
}

private func decode<T: Decodable>(_ data: Data, _ place: String, _ decoder: JSONDecoder) throws(Failure) -> T {
    do {
        return try decoder.decode(T.self, from: data)
    } catch DecodingError.keyNotFound(let key, _) {
        throw Failure(.data, "\(place): no `\(key.stringValue)`")
    } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
        throw Failure(
            .data, "\(place): `\(context.codingPath[0].stringValue)` is not one number",
            advice: "laws know models whose layers all have the same number of experts")
    } catch {
        throw Failure(.data, "\(place) is not the JSON of a run: \(complaint(ofDecoding: error))")
    }
}

private func metrics(_ path: String) throws(Failure) -> Steps {
    var lines = FileLines(try file(path), longest: StepRecord.longest), steps = Steps()
    let decoder = StepRecord.decoder()
    var failure: Failure?
    while let line = try lines.next() {
        guard !line.bytes.isEmpty else { continue }
        // A job that was killed while writing leaves half a line, at the end only.
        if let failure { throw failure }
        do {
            steps.add(try decode(Data(line.bytes), "\(path):\(line.number)", decoder))
        } catch {
            failure = error
        }
    }
    return steps
}

private func finalLoss(
    _ steps: Steps, _ last: StepLosses, _ source: LossSource, _ run: RunDirectory
) throws(Failure) -> Double {
    switch source {
    case .training:
        let losses = steps.lastLosses
        guard !losses.isEmpty else { throw Failure(.data, "\(run.metrics): the last steps have no `loss`") }
        return losses.reduce(0, +) / Double(losses.count)
    case .validation:
        guard let measured = steps.validated, let loss = measured.validationLoss else {
            throw Failure(
                .data, "\(run.metrics) has no `validation_loss`",
                advice: "train with data.validation, or fit the training loss with --training-loss")
        }
        guard measured.tokens >= 0.99 * last.tokens else {
            throw Failure(
                .data,
                "\(run.path): the last validation was at token \(Int(measured.tokens)) of \(Int(last.tokens)), "
                    + "before the learning rate had decayed",
                advice: "finish the run, evaluate it, or fit the training loss with --training-loss")
        }
        return loss
    }
}
