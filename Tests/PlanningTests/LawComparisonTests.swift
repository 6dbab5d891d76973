import Diagnostics
import Foundation
import Planning
import Testing

@Suite(.serialized) struct LawComparisonTests {
    private func compare(
        _ forms: [any ScalingLaw.Type], _ runs: [RunMeasurement], heldOut: Double? = nil
    ) throws -> LawComparison {
        try LawComparison(forms, runs) { _ in
            var options = FitOptions()
            (options.resamples, options.heldOut) = (0, heldOut)
            return options
        }
    }

    private let joint = Simulation.joint(noise: 0.004, seed: 2).enumerated().filter { $0.offset % 3 != 1 }.map(
        \.element)

    /// The criteria and errors once more, written out from each law's own fit with the shared runs held out.
    @Test func criteriaAreThoseOfTheGaussianLikelihood() throws {
        let forms: [any ScalingLaw.Type] = [ChinchillaLaw.self, RoutedLaw.self, JointLaw.self]
        let comparison = try compare(forms, joint), n = Double(joint.count)
        #expect(joint.count == 180 && comparison.entries.map(\.law) == ["joint", "chinchilla", "routed"])
        var scores: [Double] = []
        for entry in comparison.entries {
            var options = FitOptions()
            (options.resamples, options.heldOut) = (0, 0.1)
            let report = try FitReport(try LawCatalog.form(named: entry.law), joint, options)
            let squares = joint.reduce(0) { $0 + pow(log(report.law.loss(at: $1.point)) - log($1.loss), 2) }
            let k = Double(report.law.parameters.count + 1)
            // −2·ln likelihood at the residuals' own variance, without the constant n·(1 + ln 2π)
            let variance = squares / n
            let likelihood = joint.reduce(0) { sum, run in
                let r = log(report.law.loss(at: run.point)) - log(run.loss)
                return sum - 0.5 * (log(2 * .pi * variance) + r * r / variance)
            }
            expect(entry.aic, -2 * likelihood + 2 * k - n * (1 + log(2 * .pi)), within: 1e-9)
            expect(try #require(entry.aicc), entry.aic + 2 * k * (k + 1) / (n - k - 1), within: 1e-12)
            expect(entry.bic, entry.aic + k * (log(n) - 2), within: 1e-12)
            #expect(entry.rmseHeldOut == report.record.rmseHeldOut && entry.rmseTrain == report.record.rmseTrain)
            #expect(entry.parameters == report.law.parameters.count && entry.heldOut == 18 && entry.runs == 180)
            scores.append(try #require(entry.aicc))
        }
        let sum = scores.reduce(0) { $0 + exp((scores[0] - $1) / 2) }
        for (entry, score) in zip(comparison.entries, scores) {
            #expect(entry.difference == score - scores[0])
            #expect(abs(entry.weight - exp((scores[0] - score) / 2) / sum) < 1e-12)
        }
        #expect(comparison.entries[0].weight > 0.999)
    }

    /// Of two laws that both hold, the one with fewer parameters is the more credible: dense runs know no experts' terms.
    @Test func parametersThatExplainNothingCost() throws {
        let dense = Simulation.chinchilla(noise: 0.01, seed: 3).enumerated().filter { $0.offset % 3 == 0 }.map {
            // Experts that change no loss
            RunMeasurement(
                source: $1.source,
                point: ScalePoint(
                    active: $1.point.active, total: $1.point.total, tokens: $1.point.tokens,
                    experts: $0.isMultiple(of: 2) ? 1 : 8), loss: $1.loss)
        }
        let comparison = try compare([JointLaw.self, ChinchillaLaw.self], dense)
        #expect(comparison.entries.map(\.law) == ["chinchilla", "joint"])
        #expect(comparison.entries[1].difference > 0 && comparison.entries[1].bic > comparison.entries[0].bic)
    }

    @Test func theTableAndTheRecordNameEveryLaw() throws {
        let comparison = try compare([JointLaw.self, ChinchillaLaw.self], joint, heldOut: 0.2)
        #expect(comparison.entries.allSatisfy { $0.heldOut == 36 })
        let lines = comparison.text.split(separator: "\n")
        #expect(lines[1].hasPrefix("joint") && lines[2].hasPrefix("chinchilla"))
        let json = String(decoding: try JSONEncoder().encode(comparison.entries), as: UTF8.self)
        for key in ["aic", "aicc", "bic", "difference", "weight", "rmse_train", "rmse_held_out", "held_out"] {
            #expect(json.contains("\"\(key)\""))
        }
    }

    @Test func tooFewRunsToHoldOutTheSameAreRefused() {
        #expect { try compare([JointLaw.self, ChinchillaLaw.self], Array(joint.prefix(14)), heldOut: 0.2) } throws: {
            ($0 as? Failure)?.status == .data
                && "\($0)".contains("14 runs are too few to compare laws of 11 parameters: 11 are left when 20 %")
        }
    }
}
