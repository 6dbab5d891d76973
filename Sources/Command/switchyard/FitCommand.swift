import ArgumentParser
import Diagnostics
import Foundation
import Planning
import Platform
import RunFormat

/// Fits scaling laws to finished runs.
struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Fits scaling laws to runs: a CSV table, or run directories.",
        discussion: """
            A table has the columns n_active, n_total, tokens, flops, experts, granularity, top_k, loss, of which a law
            needs only its own. Examples:
              switchyard fit runs.csv --law joint --output fit.json --plots plots
              switchyard fit runs/* --law joint,sparsity,chinchilla
              switchyard plan --law fit.json --flops 1e20
            """)

    @Argument(help: "A .csv file, or directories of finished runs.", transform: path) var runs: [String]
    @Option(help: "One law or several: \(LawCatalog.forms.map { form in form.metadata.name }.joined(separator: ", ")).")
    var law = "joint"
    @Option(help: "Share of the runs, those of lowest loss, held out to judge the fit.") var holdOut: Double?
    @Option(help: "Where the Huber loss turns linear, in log loss; each paper has its own.") var huber: Double?
    @Option(help: "Resamples of the runs behind the intervals of planned losses; 0 for none.") var bootstrap = 100
    @Option(help: "Seed of the resamples.") var seed: UInt64 = 1
    @Flag(help: "Descend from every start of the paper's grid, not only from the promising ones.") var fullGrid = false
    @Flag(help: "Leave the held-out runs out of the final fit too.") var trainOnly = false
    @Flag(help: "Fit the training loss of run directories, not their last validation.") var trainingLoss = false
    @Option(help: "Write the fit here, for `plan --law`.", transform: outputFile) var output: String?
    @Option(help: "Draw SVG residual plots into this directory.", transform: path) var plots: String?
    @Flag(help: "One object (an array for several laws) on the last line.") var json = false

    func run() throws {
        try reportingFailures {
            let forms = try law.split(separator: ",").map { try LawCatalog.form(named: String($0)) }
            guard !forms.isEmpty else { throw Failure(.usage, "--law names no law") }
            if output != nil, forms.count > 1 {
                throw Failure(.usage, "--output keeps one law", advice: "give one --law")
            }
            try requireSafeOutputs(forms.map { form in form.metadata.name })
            let records = try readRuns(for: forms.map { form in form.metadata })
            let reports = try forms.map { form in try FitReport(form, records, try options(form.metadata.name)) }
            if let output { try writeText(json(reports[0].record), to: output) }
            if let plots {
                for report in reports {
                    try writeText(residualPlot(report).svg, to: residuals(of: report.record.law, in: plots))
                }
            }
            try show(reports)
        }
    }

    private func requireSafeOutputs(_ laws: [String]) throws(Failure) {
        var places = InputsAndOutputs()
        places.reads(runs, as: "the runs")
        for run in runs { places.reads(["\(run)/run.json", "\(run)/metrics.jsonl"], as: "a run") }
        if let output { places.writes(output, as: "--output") }
        if let plots {
            for law in Set(laws) { places.writes(residuals(of: law, in: plots), as: "--plots") }
        }
        try places.check()
    }

    private func residuals(of law: String, in folder: String) -> String { "\(folder)/residuals-\(law).svg" }

    private func readRuns(for laws: [LawMetadata]) throws -> [RunMeasurement] {
        var records: [RunMeasurement] = []
        for place in runs {
            var isDirectory: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory) else {
                throw Failure(.noInput, "there is no \(place)")
            }
            if isDirectory.boolValue {
                let loss: LossSource = trainingLoss ? .training : .validation
                records.append(try runMeasurement(directory: place, loss: loss, for: laws))
            } else {
                let table = try runTable(csv: tableText(place), file: place, for: laws)
                if !table.otherColumns.isEmpty {
                    printError("\(place): no law reads the columns \(table.otherColumns.joined(separator: ", "))")
                }
                records += table.records
            }
        }
        return records
    }

    private func options(_ law: String) throws -> FitOptions {
        var options = FitOptions()
        if let holdOut, !(holdOut >= 0 && holdOut <= 0.5) {
            throw Failure(.usage, "--hold-out is a share from 0 to 0.5, not \(holdOut)")
        }
        if let huber, !(huber > 0 && huber.isFinite) { throw Failure(.usage, "--huber must be positive, not \(huber)") }
        guard (0...100_000).contains(bootstrap) else {
            throw Failure(.usage, "--bootstrap is a number from 0 to 100000")
        }
        options.heldOut = holdOut
        options.huber = huber
        options.fullGrid = fullGrid
        options.refit = !trainOnly
        options.resamples = bootstrap
        options.seed = seed
        let progress = ProgressDisplay()
        options.progress = { done, all in
            progress.show("fitting \(law): \(done) of \(all) starts", important: done == all)
        }
        return options
    }

    private func show(_ reports: [FitReport]) throws {
        guard json else {
            try StandardOutput.write(reports.map(\.text).joined(separator: "\n\n"))
            if reports.count > 1 {
                try StandardOutput.write(
                    "\nOn the same runs, most credible first:\n\n" + comparison(of: reports).text)
            }
            return
        }
        let records = reports.map { report in
            var record = report.record
            record.samples = nil
            return record
        }
        if records.count == 1 { try printJSON(records[0]) } else { try printJSON(records) }
    }

    private func json(_ record: FitRecord) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"
    }
}

/// The text of a table of runs.
/// - Throws: `noInput` if `path` is no regular file, `data` if it is no text of at most 64 MB
private func tableText(_ path: String) throws(Failure) -> String {
    let advice = "runs are a .csv file in UTF-8 or run directories"
    let file = try RegularFile(path), limit = 1 << 26
    guard file.size <= limit else {
        throw Failure(.data, "\(path) has \(file.size) bytes; a table of runs has at most \(limit)", advice: advice)
    }
    let bytes = try file.contents(limit: limit)
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
        throw Failure(
            .data, "\(path) is UTF-16 text", advice: "convert it: iconv -f UTF-16 -t UTF-8 FILE > runs.csv")
    }
    if let zero = bytes.firstIndex(of: 0) {
        throw Failure(.data, "\(path) is no text: byte \(zero) is zero", advice: advice)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.data, "\(path) is no UTF-8 text", advice: advice)
    }
    return text
}
