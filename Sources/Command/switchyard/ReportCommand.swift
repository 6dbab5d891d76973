import ArgumentParser
import Diagnostics
import Foundation
import Platform
import Reporting

/// A page about runs, studies and fits.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes one HTML page about runs, studies and fits.",
        discussion: """
            The page has everything in it and loads nothing: curves with their values under the pointer, tables, and the
            configuration. A run may still be training. Examples:
              switchyard report runs/quickstart
              switchyard report runs/* --output all.html
              switchyard report studies/small
              switchyard report runs.csv fit.json
              switchyard bench step config.yaml --json >step.json && switchyard report step.json
            """)

    @Argument(
        help: "Run directories, directories of studies, tables of runs (.csv), fits and results of bench (.json).",
        transform: path)
    var paths: [String]
    @Option(help: "Write the page here.", transform: outputFile) var output = "report.html"
    @Option(help: "The title of the page.") var title: String?

    func run() throws {
        try reportingFailures {
            let inputs = try ReportInputs(paths)
            var places = InputsAndOutputs()
            places.reads(inputs.files, as: "PATH")
            places.writes(output, as: "--output")
            try places.check()
            let page = ReportPage(
                title: visible(title ?? inputs.title), try inputs.sections(),
                footer: "\(VersionReport.title), \(Date().formatted(.iso8601))")
            try writeText(page.html, to: output)
            try StandardOutput.write(output)
        }
    }
}
