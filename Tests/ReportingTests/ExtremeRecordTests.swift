import Charts
import Diagnostics
import Foundation
import Planning
import Reporting
import RunFormat
import TestSupport
import Testing

/// Records, tables and fits are files from elsewhere: whatever numbers are in them, a report and a live view end in order.
@Suite("Numbers that no run has") struct ExtremeRecordTests {
    private static let numbers = ["0", "-1", "1e300", "-1e300", "1e-300", "1.7e308", "9223372036854775807", "\"nan\""]

    /// `text` with each of its numbers replaced by each of the extremes.
    private func mutations(of text: String) -> [String] {
        text.matches(of: /[:,\[ \n](-?[0-9][0-9.e+-]*)(?=[,}\]\n])/).flatMap { match in
            Self.numbers.map { text.replacingCharacters(in: match.1.startIndex..<match.1.endIndex, with: $0) }
        }
    }

    private func requirePage(_ paths: [String]) throws {
        do throws(Failure) {
            let inputs = try ReportInputs(paths)
            let html = ReportPage(title: inputs.title, try inputs.sections(), footer: "a test").html
            #expect(html.hasSuffix("</html>\n") && !html.contains("NaN"))
        } catch {
            #expect(!error.message.isEmpty)
        }
    }

    private func write(_ text: String, to file: String) throws {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    @Test("a record with one of them is drawn without it, or passed over") func records() throws {
        try inScratchFolder { folder in
            let run = "\(folder)/run"
            try writeRun(run, ReportingTests.records(3) { ($0.validationLoss, $0.lossBySource) = (4.2, [4, 5]) })
            let text = try String(contentsOfFile: "\(run)/metrics.jsonl", encoding: .utf8)
            let second = try #require(text.split(separator: "\n").dropFirst().first)
            for mutation in mutations(of: String(second)) {
                try write(text.replacing(second, with: mutation), to: "\(run)/metrics.jsonl")
                try requirePage([run])
                let size = TerminalSize(columns: 80, rows: 24, hasUnicode: true)
                #expect(try Watch(run).lines(size, now: Date(), colored: false).count <= 24)
            }
        }
    }

    @Test("of steps and tokens only those count that grow") func counts() throws {
        try inScratchFolder { folder in
            let steps = ReportingTests.records(9) {
                switch $0.step {
                case 3: $0.tokens = -5
                case 5: $0.tokens = 120
                case 7: $0.step = 2
                case 9: ($0.step, $0.tokens) = (.max, .max)
                default: break
                }
            }
            try writeRun("\(folder)/run", steps)
            let history = try RunHistory("\(folder)/run")
            #expect(history.otherLines == 4 && history.lastStep == 8)
        }
    }

    @Test("a fit and a table with one of them, or without what the law reads") func laws() throws {
        let runs = (1...24).map { index in
            let active = 1e6 * Double(1 + index % 5), tokens = 1e8 * Double(1 + index / 5)
            return RunMeasurement(
                source: "\(index)", point: ScalePoint(active: active, total: active, tokens: tokens),
                loss: 1.8 + 500 / pow(active, 0.35) + 600 / pow(tokens, 0.3))
        }
        var options = FitOptions()
        options.resamples = 0
        let fit = try FitReport(ChinchillaLaw.self, runs, options).record.fileText
        let table = "n_active,tokens,loss\n1000000,100000000,3.5\n2000000,200000000,3.1\n4000000,200000000,3.0\n"
        try inScratchFolder { folder in
            let (fitFile, tableFile) = ("\(folder)/fit.json", "\(folder)/runs.csv")
            try write(table, to: tableFile)
            for mutation in mutations(of: fit) {
                try write(mutation, to: fitFile)
                try requirePage([tableFile, fitFile])
            }
            try write(fit, to: fitFile)
            for mutation in mutations(of: table) + ["n_active,loss\n1000000,3.5\n2000000,3.1\n"] {
                try write(mutation, to: tableFile)
                try requirePage([tableFile, fitFile])
            }
        }
    }

    @Test(
        "an axis has ticks in any range",
        arguments: [
            [0.0, 1.7e308], [-1.7e308, 1.7e308], [1e16, 1e16 + 2], [5, 5], [-1e99, -1e99], [1e-308, 1e99],
            [.nan, .infinity], [],
        ]) func axes(values: [Double])
    {
        for scale in [Axis.Scale.linear, .logarithmic] {
            let axis = Axis("x", scale, covering: values)
            #expect(axis.range.upperBound > axis.range.lowerBound)
            #expect((1...40).contains(axis.ticks.count) && axis.ticks.allSatisfy { axis.position($0.value).isFinite })
        }
    }
}
