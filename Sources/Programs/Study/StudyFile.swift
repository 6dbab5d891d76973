import Configuration
import Data
package import Diagnostics
import Model

extension Study {
    /// Reads a study's file and checks every row, so that no row starts before all of them can.
    /// - Parameters:
    ///   - yaml: the text of the file
    ///   - file: its name, for messages
    /// - Throws: `configuration`, naming the row and its key
    package init(yaml: String, file: String) throws(Failure) {
        let document = try ConfigurationDocument(yaml: yaml, file: file)
        let top = try document.section("")
        base = try top.filePath("base")
        directory = StudyDirectory(try top.filePath("directory"))
        ranks = try top.integer("ranks", default: 1, in: 1...1 << 20)
        let law = try top.text("fit", default: "auto")
        self.law = law == "auto" ? nil : law
        let grid = StudyGrid(
            list: try top.settingsList("list"), grid: try top.settings("grid"),
            seeds: try top.ascendingIntegers("seeds", in: 0...Int.max))
        let ends = try top.ascendingIntegers("ends", in: 1...1 << 60)
        let budgets = try top.texts("budgets", default: [])
        guard ends.isEmpty || budgets.isEmpty else {
            throw top.failure("budgets", "and `ends` are both given", advice: "give one: the other follows from it")
        }
        try document.refuseUnknownKeys()
        let reader = RowReader(
            text: try configurationText(
                of: base, "base configuration", advice: "`base` is a path from where the command is started"),
            base: base, directory: directory, ends: ends,
            budgets: try Self.numbers(budgets, top))
        rows = try reader.rows(grid)
    }

    private static func numbers(_ texts: [String], _ section: ConfigurationSection) throws(Failure) -> [Double] {
        var numbers: [Double] = []
        for text in texts {
            guard let number = Double(text), number > 0, number.isFinite else {
                throw section.failure("budgets", "has `\(text)`; budgets are FLOPs, such as 1e15")
            }
            numbers.append(number)
        }
        return numbers.sorted()
    }
}

/// Makes rows of a base configuration.
private struct RowReader {
    let text: String
    let base: String
    let directory: StudyDirectory
    let ends: [Int]
    let budgets: [Double]

    func rows(_ grid: StudyGrid) throws(Failure) -> [StudyRow] {
        var rows: [StudyRow] = []
        for (name, settings) in grid.rows {
            do throws(Failure) {
                rows.append(try row(name, settings))
            } catch {
                throw Failure(error.status, "row \(name): \(error.message)", advice: error.advice)
            }
        }
        return rows
    }

    private func row(_ name: String, _ settings: [String]) throws(Failure) -> StudyRow {
        let place = ConfigurationDocument.override("run.directory", path: directory.run(name))
        var configuration = try read(settings + lengths(ends) + [place])
        guard configuration.data.validation != .none else {
            throw Failure(
                .configuration, "`data.validation` is none, so no run has a result",
                advice: "hold out a part of the data, for example data.validation: hash 0.01")
        }
        let vocabulary = try configuration.data.expectedVocabulary()
        if !budgets.isEmpty {
            let work = ModelCost(try configuration.resolved(tokenizer: vocabulary).model).flopsPerToken
            let batch = configuration.batch.tokens
            let tokens = budgets.map { max(1, Int(($0 / work / Double(batch)).rounded())) * batch }
            configuration = try read(settings + lengths(tokens) + [place])
        }
        return try StudyRow(name, configuration, vocabulary: vocabulary)
    }

    /// Runs end at the last, branches of them at the others.
    private func lengths(_ ends: [Int]) -> [String] {
        guard let last = ends.last else { return [] }
        return ["train.steps=null", "train.tokens=\(last)", "train.branches=\(ends.dropLast())"]
    }

    private func read(_ overrides: [String]) throws(Failure) -> RunConfiguration {
        try RunConfiguration(ConfigurationDocument(yaml: text, file: base, overrides: overrides))
    }
}
