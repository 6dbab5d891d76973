import Charts
import Diagnostics
import Foundation
import Planning
import Testing

@Suite(.serialized) struct FitReportTests {
    private func report(
        _ form: any ScalingLaw.Type, _ runs: [RunMeasurement], _ change: (inout FitOptions) -> Void = { _ in }
    ) throws -> FitReport {
        var options = FitOptions()
        options.resamples = 0
        change(&options)
        return try FitReport(form, runs, options)
    }

    /// Two numbers of experts fix Ê at two places only: its curve through them is anybody's guess.
    @Test func saysThatTwoNumbersOfExpertsDoNotFixTheirCurve() throws {
        let runs = Simulation.joint(noise: 0.004, seed: 1).filter { [1, 8].contains($0.point.experts) }
        let report = try report(JointLaw.self, runs)
        let lost = Set(report.record.undetermined.keys)
        #expect(lost.isSuperset(of: ["E_max", "E_start"]), "\(report.record.undetermined)")
        #expect(lost.isDisjoint(with: ["c"]))
        for name in lost { #expect(report.record.parameters[name] == .some(nil)) }
        #expect(report.text.contains("not determined") && report.text.contains("These runs do not determine"))
        #expect(report.record.rmseTrain < 0.006)
    }

    /// Losses that have nothing to do with the runs' sizes: no plan should rest on them, and both say so.
    @Test func saysThatALawExplainsNothing() throws {
        // The fractional parts of multiples of the golden ratio: evenly spread, without an order that sizes have.
        let runs = Simulation.joint(noise: 0.004, seed: 1).prefix(60).enumerated().map { index, run in
            let share = (Double(index + 1) * 0.618034).truncatingRemainder(dividingBy: 1)
            return RunMeasurement(source: run.source, point: run.point, loss: 2 + 2 * share)
        }
        let report = try report(ChinchillaLaw.self, runs)
        let explained = try #require(report.record.explained)
        #expect(explained < 0.3, "\(explained)")
        #expect(report.text.contains("% of the differences between the losses"))
        #expect(!report.text.contains("hold all the same"))
        var request = PlanRequest(experts: [1])
        request.flops = 1e20
        let plan = try Plan(request, by: report.record.planningLaw(name: "noise.json"))
        #expect(plan.cautions.contains { $0.contains("a plan by it is a guess") })
        let good = try self.report(JointLaw.self, Simulation.joint(noise: 0.004, seed: 1))
        #expect(try #require(good.record.explained) > 0.98 && good.record.caution == nil)
    }

    /// Granularities that never leave two values determine g/G^γ there, not g and γ.
    @Test func saysThatTwoGranularitiesDoNotFixTheirPower() throws {
        let runs = Simulation.fineGrained(noise: 0.001, seed: 3).filter { [1, 8].contains($0.point.granularity) }
        let report = try report(FineGrainedLaw.self, runs)
        #expect(Set(report.record.undetermined.keys).isSuperset(of: ["g", "gamma"]), "\(report.record.undetermined)")
        let good = try self.report(FineGrainedLaw.self, Simulation.fineGrained(noise: 0.001, seed: 3))
        #expect(good.record.undetermined.isEmpty, "\(good.record.undetermined)")
    }

    /// N along D·constant: the two power laws cannot be told apart.
    @Test func saysThatOneRatioDoesNotTellSizeFromLength() throws {
        let law = ChinchillaLaw(parameters: [1.7, 400, 400, 0.3, 0.3])
        let points = (0..<40).map {
            ScalePoint(active: 1e7 * pow(1.3, Double($0)), total: 1e12, tokens: 1e7 * pow(1.3, Double($0)))
        }
        let report = try report(ChinchillaLaw.self, Simulation.runs(points, law, noise: 0.002, seed: 2))
        let lost = Set(report.record.undetermined.keys)
        #expect(lost.isSuperset(of: ["A", "alpha"]) || lost.isSuperset(of: ["B", "beta"]), "\(lost)")
        // A power of D near zero is a constant like E: that is lost too. Predictions are not.
        #expect(report.record.undetermined["E"] != nil)
        #expect(report.record.rmseTrain < 0.004)
    }

    /// 80 % intervals hold the truth about as often as they say; `CoverageTests` has more fits.
    @Test func intervalsHoldTheTruth() throws {
        let truth = ChinchillaLaw.refitted
        var held = 0
        for seed in UInt64(1)...8 {
            let report = try report(ChinchillaLaw.self, Simulation.chinchilla(noise: 0.01, seed: seed)) {
                $0.resamples = 40
                $0.seed = seed
            }
            for name in ["E", "alpha", "beta"] {
                let interval = try #require(report.record.intervals[name]), value = try #require(truth[name])
                held += interval[0] <= value && value <= interval[1] ? 1 : 0
            }
        }
        #expect((12...24).contains(held), "80 % intervals held the truth \(held) times in 24")
    }

    @Test func aFitSurvivesItsFile() throws {
        let report = try report(ChinchillaLaw.self, Simulation.chinchilla(noise: 0.01, seed: 4)) { $0.resamples = 20 }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("fit-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try JSONEncoder().encode(report.record).write(to: file)
        let record = try FitRecord.read(file: file.path)
        let law = try record.planningLaw(name: "fit.json")
        #expect(law.law.parameters == report.law.parameters)
        let best = try Plan(PlanRequest.budget(1e20, experts: [1]), by: law).best
        let interval = try #require(best.interval)
        #expect(interval.contains(best.buildable.loss))
        #expect(interval.upperBound - interval.lowerBound > 2 * 1.28 * 0.9 * 0.01)
        try Data("{\"law\": 3}".utf8).write(to: file)
        #expect(throws: Failure.self) { try FitRecord.read(file: file.path) }
        #expect(throws: Failure.self) { try FitRecord.read(file: file.path + ".not") }
    }

    /// The law that made the runs is the most credible one.
    @Test func comparisonFindsTheLawThatMadeTheRuns() throws {
        let joint = Simulation.joint(noise: 0.004, seed: 2).enumerated().filter { $0.offset % 3 != 1 }.map(\.element)
        let laws: [any ScalingLaw.Type] = [ChinchillaLaw.self, RoutedLaw.self, JointLaw.self]
        let reports = try laws.map { try report($0, joint) }
        let best = try #require(reports.min { $0.record.aicc! < $1.record.aicc! })
        #expect(best.record.law == "joint")
        #expect(reports.min { $0.record.bic < $1.record.bic }!.record.law == "joint")
        let lines = LawComparison(reports).table.text.split(separator: "\n")
        #expect(lines.count == 4 && lines[1].hasPrefix("joint"))
        let chinchilla = try report(
            ChinchillaLaw.self, Simulation.joint(noise: 0.004, seed: 2).filter { $0.point.experts == 4 })
        #expect(chinchilla.record.rmseTrain < 0.006)
    }

    @Test func heldOutRunsAreTheLowestLosses() throws {
        let report = try report(ChinchillaLaw.self, Simulation.chinchilla(noise: 0.01, seed: 5)) { $0.heldOut = 0.25 }
        let out = report.residuals.filter(\.heldOut).map(\.run.loss), kept = report.residuals.filter { !$0.heldOut }
        #expect(out.count == 60 && out.max()! <= kept.map(\.run.loss).min()!)
        let plot = residualPlot(report)
        #expect(plot.svg.components(separatedBy: "<circle").count - 1 == 240)
        checkSVG(plot.svg)
    }

    @Test func everyPlotOfAPlanIsDrawn() throws {
        let plots = try PlanTests.joint(flops: 1e20, experts: [1, 8, 32]) { $0.memory = .init(bytes: 8e9) }.plots()
        #expect(
            Set(plots.map(\.name)) == ["isoflop", "loss-at-memory", "over-training", "frontier", "compute-saved"])
        for plot in plots { checkSVG(plot.svg) }
        let frontier = try #require(plots.first { $0.name == "frontier" }).svg
        #expect(frontier.components(separatedBy: "<rect").count > 44)
        #expect(throws: Failure.self) {
            try PlanTests.joint(flops: nil) {
                $0.memory = .init(bytes: 8e9)
                $0.maximumTokens = 1e11
            }.plots()
        }
    }

    /// Balanced tags, numbers only, everything inside the frame.
    private func checkSVG(_ svg: String) {
        #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        var open: [Substring] = []
        for match in svg.matches(of: /<(\/?)([a-zA-Z]+)[^>]*?(\/?)>/) {
            if match.1 == "/" {
                #expect(open.popLast() == match.2)
            } else if match.3 != "/" {
                open.append(match.2)
            }
        }
        #expect(open.isEmpty)
        #expect(svg.contains("<text"))
    }
}
