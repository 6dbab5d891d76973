import ArgumentParser
import Charts
import Diagnostics
import Foundation
import Planning
import Platform

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
              switchyard fit runs.csv --law chinchilla --per experts
              switchyard fit runs.csv --compare joint,chinchilla,routed
              switchyard fit runs.csv --law isoflop
              switchyard fit sweep.csv --law learning-rate
              switchyard plan --law fit.json --flops 1e20
            """)

    @Argument(help: "A .csv file, or directories of finished runs.", transform: path) var runs: [String]
    @Option(
        help: """
            One law or several: \(LawCatalog.forms.map { form in form.metadata.name }.joined(separator: ", ")); or \
            \(RunAnalysis.allCases.map(\.rawValue).joined(separator: ", ")).
            """)
    var law = "joint"
    @Option(
        help: "Compare laws, such as joint,chinchilla, with the same runs held out, and print the comparison alone.")
    var compare: String?
    @Option(help: "Fit one law anew for each of something: experts.") var per: FitPer?
    @OptionGroup var descent: FitDescentOptions
    @OptionGroup var resampling: ResamplingOptions
    @Flag(help: "Fit the training loss of run directories, not their last validation.") var trainingLoss = false
    @Option(help: "Write the fit here, for `plan --law`.", transform: outputFile) var output: String?
    @Option(help: "Draw SVG residual plots into this directory.", transform: path) var plots: String?
    @Flag(help: "One object (an array for several laws) on the last line.") var json = false

    func run() throws {
        try reportingFailures {
            if let compare { return try compareLaws(try forms(compare)) }
            if let analysis = RunAnalysis(rawValue: law) { return try analyze(analysis) }
            let forms = try forms(law)
            guard !forms.isEmpty else { throw Failure(.usage, "--law names no law") }
            if output != nil, forms.count > 1 {
                throw Failure(.usage, "--output keeps one law", advice: "give one --law")
            }
            if per == .experts { return try fitPerExperts(forms) }
            try requireSafeOutputs(forms.map { form in form.metadata.name })
            let records = try records(for: RunNeeds(forms.map { form in form.metadata }))
            let reports = try forms.map { form in
                try FitReport(form, records, try descent.options(form.metadata.name, resampling))
            }
            if let output { try writeText(reports[0].record.fileText, to: output) }
            if let plots {
                for report in reports {
                    try writeText(residualPlot(report).svg, to: residuals(of: report.record.law, in: plots))
                }
            }
            try show(reports)
        }
    }

    private func forms(_ names: String) throws(Failure) -> [any ScalingLaw.Type] {
        var forms: [any ScalingLaw.Type] = []
        for name in names.split(separator: ",") { forms.append(try LawCatalog.form(named: String(name))) }
        return forms
    }

    func records(for needs: RunNeeds) throws -> [RunMeasurement] {
        try readRuns(runs, loss: trainingLoss ? .training : .validation, for: needs)
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

    private func show(_ reports: [FitReport]) throws {
        guard json else {
            try StandardOutput.write(reports.map(\.text).joined(separator: "\n\n"))
            if reports.count > 1 {
                try StandardOutput.write(
                    "\nOn the same runs, most credible first:\n\n" + LawComparison(reports).table.text)
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
}
