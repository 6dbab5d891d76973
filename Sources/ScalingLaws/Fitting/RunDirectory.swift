package import Diagnostics
import FileSystem
import Foundation

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
package func runRecord(
    directory: String, loss source: LossSource, for laws: [LawFacts]
) throws(Failure) -> RunRecord {
    let facts: RunFacts = try decode(try contents(of: directory + "/run.json"), directory + "/run.json")
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

private func contents(of file: String) throws(Failure) -> Data {
    do throws(Failure) {
        return Data(try RegularFile(file).contents(limit: 1 << 36))
    } catch {
        throw Failure(
            .noInput, "cannot read \(file)",
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

private func metrics(_ file: String) throws(Failure) -> [Step] {
    let lines = try contents(of: file).split(separator: UInt8(ascii: "\n"))
    var steps: [Step] = []
    for (index, line) in lines.enumerated() {
        do {
            steps.append(try decode(Data(line), "\(file):\(index + 1)"))
        } catch {
            // A job that was killed while writing leaves half a line, at the end only.
            if index < lines.count - 1 { throw error }
        }
    }
    return steps
}

private func finalLoss(
    _ steps: [Step], _ last: Step, _ source: LossSource, _ directory: String
) throws(Failure) -> Double {
    switch source {
    case .training:
        let losses = steps.suffix(max(1, steps.count / 50)).compactMap(\.loss)
        guard !losses.isEmpty else { throw Failure(.data, "\(directory)/metrics.jsonl: the last steps have no `loss`") }
        return losses.reduce(0, +) / Double(losses.count)
    case .validation:
        guard let measured = steps.last(where: { $0.validationLoss != nil }), let loss = measured.validationLoss else {
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
