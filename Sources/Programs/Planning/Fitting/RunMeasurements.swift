package import Diagnostics
import Foundation
import Platform

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
    directory: String, loss source: LossSource, for laws: [LawMetadata]
) throws(Failure) -> RunMeasurement {
    let facts: RunFacts = try decode(
        Data(try file(directory + "/run.json").contents(limit: 1 << 24)), directory + "/run.json")
    let steps = try metrics(directory + "/metrics.jsonl")
    guard let last = steps.last else {
        throw Failure(.data, "\(directory)/metrics.jsonl has no steps", advice: "leave out runs that never started")
    }
    var columns = RunColumns(source: directory)
    columns.values = [
        "n_active": facts.active, "n_total": facts.total, "experts": facts.experts, "tokens": last.tokens,
        "flops": facts.flopsPerToken * last.tokens, "granularity": facts.granularity ?? 1, "top_k": facts.topK ?? 1,
    ]
    columns.values["n_embedding"] = facts.embedding
    columns.values["vocabulary_size"] = facts.vocabularySize
    columns.values["context"] = facts.context
    columns.values["loss"] = try finalLoss(steps, last, source, directory)
    return try columns.record(for: laws)
}

private struct RunFacts: Decodable {
    let active, total, experts, flopsPerToken: Double
    let granularity, topK, embedding, vocabularySize, context: Double?

    enum CodingKeys: String, CodingKey {
        case active = "n_active"
        case total = "n_total"
        case embedding = "n_embedding"
        case topK = "top_k"
        case flopsPerToken = "flops_per_token"
        case vocabularySize = "vocabulary_size"
        case experts, granularity, context
    }
}

private struct Step: Decodable {
    let tokens: Double
    let loss: Double?
    let validationLoss: Double?

    enum CodingKeys: String, CodingKey {
        case tokens, loss
        case validationLoss = "validation_loss"
    }
}

/// What a fit needs of the records, however many there are.
private struct Steps {
    private(set) var last: Step?
    /// The last one with a validation.
    private(set) var validated: Step?
    /// Of the last steps, at least a fiftieth of all.
    private var losses: [Double?] = []
    private var count = 0

    private var fiftieth: Int { max(1, count / 50) }
    var lastLosses: [Double] { losses.suffix(fiftieth).compactMap(\.self) }

    mutating func add(_ step: Step) {
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

private func decode<T: Decodable>(_ data: Data, _ place: String) throws(Failure) -> T {
    do {
        return try JSONDecoder.ofRecords().decode(T.self, from: data)
    } catch DecodingError.keyNotFound(let key, _) {
        throw Failure(.data, "\(place): no `\(key.stringValue)`")
    } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
        throw Failure(
            .data, "\(place): `\(context.codingPath[0].stringValue)` is not one number",
            advice: "laws know models whose layers all have the same number of experts")
    } catch {
        throw Failure(.data, "\(place) is not the JSON of a run: \(error.localizedDescription)")
    }
}

private func metrics(_ path: String) throws(Failure) -> Steps {
    var lines = FileLines(try file(path), longest: 1 << 22), steps = Steps()
    var failure: Failure?
    while let line = try lines.next() {
        guard !line.bytes.isEmpty else { continue }
        // A job that was killed while writing leaves half a line, at the end only.
        if let failure { throw failure }
        do {
            steps.add(try decode(Data(line.bytes), "\(path):\(line.number)"))
        } catch {
            failure = error
        }
    }
    return steps
}

private func finalLoss(
    _ steps: Steps, _ last: Step, _ source: LossSource, _ directory: String
) throws(Failure) -> Double {
    switch source {
    case .training:
        let losses = steps.lastLosses
        guard !losses.isEmpty else { throw Failure(.data, "\(directory)/metrics.jsonl: the last steps have no `loss`") }
        return losses.reduce(0, +) / Double(losses.count)
    case .validation:
        guard let measured = steps.validated, let loss = measured.validationLoss else {
            throw Failure(
                .data, "\(directory)/metrics.jsonl has no `validation_loss`",
                advice: "train with data.validation, or fit the training loss with --training-loss")
        }
        guard measured.tokens >= 0.99 * last.tokens else {
            throw Failure(
                .data,
                "\(directory): the last validation was at token \(Int(measured.tokens)) of \(Int(last.tokens)), "
                    + "before the learning rate had decayed",
                advice: "finish the run, evaluate it, or fit the training loss with --training-loss")
        }
        return loss
    }
}
