package import Configuration
package import Diagnostics
package import Model
import Platform

/// A set of runs that one file describes: a base configuration and what is varied.
package struct Study: Sendable {
    /// Where it keeps everything.
    package let directory: StudyDirectory
    package let rows: [StudyRow]
    /// Ranks of each job.
    package let ranks: Int
    /// The law that is fitted in the end; nil: the one that suits what is varied.
    package let law: String?
    /// The base configuration's file, for what is read and must not be written.
    package let base: String

    package func row(named name: String) throws(Failure) -> StudyRow {
        if let row = rows.first(where: { $0.name == name }) { return row }
        let near = nearestName(to: name, among: rows.map(\.name)).map { "did you mean `\($0)`? " } ?? ""
        throw Failure(
            .usage, "the study has no row `\(name)`",
            advice: near
                + "its rows are \(rows.prefix(12).map(\.name).joined(separator: " "))\(rows.count > 12 ? " …" : "")")
    }
}

/// One run of a study, with a result at each of its ends.
package struct StudyRow: Sendable {
    /// What is varied: part of the names of files.
    package let name: String
    package let configuration: RunConfiguration
    let resolved: ResolvedConfiguration
    package let cost: ModelCost
    /// Token counts with results, ascending: those of the branches, and of the run itself.
    package let ends: [Int]

    package init(_ name: String, _ configuration: RunConfiguration, vocabulary: Int) throws(Failure) {
        self.name = name
        self.configuration = configuration
        resolved = try configuration.resolved(tokenizer: vocabulary)
        cost = ModelCost(resolved.model)
        ends = configuration.length.branches + [configuration.endTokens]
    }

    /// All tokens that are trained on, in the run and its branches.
    var trainedTokens: Int {
        configuration.endTokens
            + configuration.length.branches.reduce(0) { sum, goal in
                sum + configuration.batch.end(ofRunTo: goal) - configuration.decayStart(ofRunTo: goal)
            }
    }

    /// Training FLOPs of all of them.
    var flops: Double { Double(trainedTokens) * cost.flopsPerToken }

    /// Equal where results must be equal.
    package var fingerprint: String { Fingerprint.of(configuration) }

    /// The same for rows whose steps take equally long.
    package var shape: String {
        let sections = ["model.", "routing.", "batch.", "precision", "reproducible", "recompute", "parallel."]
        return Fingerprint.digest(ofSettingsOf: configuration) { key, _ in sections.contains(where: key.hasPrefix) }
    }
}

/// What lies where in a study's directory.
package struct StudyDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var table: String { "\(path)/runs.csv" }
    package var fit: String { "\(path)/fit.json" }
    var rates: String { "\(path)/rates.json" }
    package func run(_ row: String) -> String { "\(path)/runs/\(row)" }
    func repetition(_ row: String) -> String { "\(path)/repeated/\(row)" }
    private func configuration(_ row: String) -> String { "\(path)/configs/\(row).yaml" }
    func queue(_ row: String) -> String { "\(path)/queue/\(row)" }

    /// Writes the row's configuration, as `train` takes it.
    /// - Returns: its path
    func writeConfiguration(of row: StudyRow) throws(Failure) -> String {
        let file = configuration(row.name)
        try makeDirectory(splitPath(file).parent)
        try replaceFile(file, with: Array(row.configuration.yaml.utf8))
        return file
    }
}
