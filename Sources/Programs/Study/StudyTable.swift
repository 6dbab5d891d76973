package import Diagnostics
import Platform

/// `runs.csv`: the results of a study, in the order of its rows. Columns that laws read have the names that `fit` knows.
package enum StudyTable {
    private static let columns: [(name: String, value: @Sendable (StudyResult) -> String)] = [
        ("n_active", { "\($0.active)" }), ("n_total", { "\($0.total)" }), ("n_embedding", { "\($0.embedding)" }),
        ("vocabulary_size", { "\($0.vocabularySize)" }), ("context", { "\($0.context)" }),
        ("tokens", { "\($0.tokens)" }), ("flops", { shortest($0.flops) }),
        ("experts", { $0.experts.map { "\($0)" } ?? "" }), ("granularity", { "\($0.granularity)" }),
        ("top_k", { "\($0.topK)" }), ("loss", { shortest($0.loss) }), ("learning_rate", { shortest($0.learningRate) }),
        ("batch_tokens", { "\($0.batchTokens)" }), ("seed", { "\($0.seed)" }), ("row", { $0.row }),
        ("configuration", { $0.fingerprint }), ("parameter_digest", { $0.digest }),
    ]

    package static func csv(_ results: [StudyResult]) -> String {
        let lines = [columns.map(\.name)] + results.map { result in columns.map { $0.value(result) } }
        return lines.map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// Reads a table that `csv` wrote.
    /// - Throws: `data`, naming the line
    package static func results(csv text: String, file: String) throws(Failure) -> [StudyResult] {
        let lines = text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        guard let header = lines.first, header.map(String.init) == columns.map(\.name) else {
            throw Failure(
                .data,
                "\(file) is not a study's table: its first line is not `\(columns.map(\.name).joined(separator: ","))`",
                advice: "choose another `directory`; nothing has been written")
        }
        var results: [StudyResult] = []
        for (index, line) in lines.enumerated().dropFirst() {
            guard line.count == header.count, let result = StudyResult(line.map(String.init)) else {
                throw Failure(
                    .data, "\(file):\(index + 1) is no line of a study's table",
                    advice: "take it out, and the study trains that row again")
            }
            results.append(result)
        }
        return results
    }
}

extension StudyResult {
    /// - Parameter fields: in the order of the table's columns
    fileprivate init?(_ fields: [String]) {
        let whole = [0, 1, 2, 3, 4, 5, 8, 9, 12].compactMap { Int(fields[$0]) }
        guard whole.count == 9, let flops = Double(fields[6]), let loss = Double(fields[10]), loss.isFinite,
            let rate = Double(fields[11]), let seed = UInt64(fields[13]),
            fields[7].isEmpty || Int(fields[7]) != nil
        else { return nil }
        (active, total, embedding, vocabularySize, context) = (whole[0], whole[1], whole[2], whole[3], whole[4])
        (tokens, granularity, topK, batchTokens) = (whole[5], whole[6], whole[7], whole[8])
        (self.flops, self.loss, learningRate, self.seed, experts) = (flops, loss, rate, seed, Int(fields[7]))
        (row, fingerprint, digest) = (fields[14], fields[15], fields[16])
    }
}
