import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Planning
import Platform
import RunFormat
import Study

/// Trains all runs of a study, and fits a law to them.
struct SweepCommand: ParsableCommand, AnswersRequests {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Trains the runs of a study, alone or together with other workers, and fits a law to them.",
        discussion: """
            Rows that are done are never done again, and rows whose worker died are taken up by the next. Any number of \
            workers may share a directory. docs/sweeps.md describes the file. Examples:
              switchyard sweep study.yaml --check
              switchyard sweep study.yaml --jobs 2
            """)

    @Argument(help: "The study, YAML.", transform: path) var study: String
    @Option(help: "Jobs at a time.") var jobs = 1
    @Flag(help: "Print what the study will take, and do nothing else but measure some steps of each size.") var check =
        false
    @Option(help: "Train one row again, apart from the others, and compare: the same to the bit.") var only: String?
    @Flag(help: "With --check: one JSON object on the last line.") var json = false
    @OptionGroup var quiet: QuietOption

    func validate() throws {
        guard (1...1024).contains(jobs) else { throw ValidationError("--jobs is a number from 1 to 1024") }
        if json, !check { throw ValidationError("--json belongs to --check") }
        if check, only != nil { throw ValidationError("--check and --only exclude each other") }
    }

    func run() throws {
        try reportingFailures {
            guard let program = Bundle.main.executablePath else {
                throw Failure(.unavailable, "cannot find this program's own file to start jobs with")
            }
            let study = try Study(yaml: configurationText(of: study, "study"), file: study)
            try requireSafeOutputs(study)
            try makeDirectory(study.directory.path)
            let queue = try StudyQueue(study), launcher = StudyLauncher(program: program, ranks: study.ranks)
            let progress = ProgressDisplay(isQuiet: quiet.quiet)
            if let only {
                return try StandardOutput.write(repeatRow(study.row(named: only), of: study, queue, launcher))
            }
            var rates = StepRates(of: study)
            try rates.measure(study, queue, launcher) { progress.log($0) }
            let bill = try StudyBill(study, queue, jobs: jobs, rates: rates)
            if check, json { return try printJSON(bill, snakeCase: true) }
            let text = bill.text(columns: terminalColumns(of: check ? 1 : 2))
            guard !check else { return try StandardOutput.write(text) }
            progress.log(text)
            let worker = StudyWorker(study, queue, launcher, StudyDisplay(on: progress))
            try worker.run(atMost: jobs)
            try finish(study, try queue.writeTable(), worker.failures)
        }
    }

    private func requireSafeOutputs(_ study: Study) throws(Failure) {
        var places = InputsAndOutputs()
        places.reads([self.study, study.base], as: "the study")
        places.writes(study.directory.table, as: "directory")
        places.writes(study.directory.fit, as: "directory")
        try places.check(.configuration)
    }

    private func finish(
        _ study: Study, _ results: [StudyResult], _ failures: [(row: String, reason: String)]
    ) throws {
        guard failures.isEmpty else {
            throw Failure(
                .software,
                "\(failures.count) of \(study.rows.count) rows failed, first \(failures[0].row): \(failures[0].reason)",
                advice: "mend what their logs in \(study.directory.path)/queue say, and start the same command again")
        }
        try StandardOutput.write("\(study.directory.table): \(results.count) results")
        guard let report = try StudyFit.report(study, results, note: { printError($0) }) else { return }
        try StandardOutput.write("\n" + report.text + "\n\n\(study.directory.fit): for `plan --law`")
    }
}
