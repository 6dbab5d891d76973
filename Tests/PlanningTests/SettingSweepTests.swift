import Configuration
import Diagnostics
import Foundation
import Planning
import Testing

/// Rules for the learning rate and the batch, from sweeps: against NumPy (scripts/curve-reference.py) and known rules.
@Suite struct SettingSweepTests {
    private struct Reference: Decodable {
        struct Optimum: Decodable { let experts, active, tokens, best, loss: Double }
        let optima: [Optimum]
        let coefficients: [Double]
        let halfWidths: [Double]

        enum CodingKeys: String, CodingKey { case optima, coefficients, halfWidths = "half_widths" }
    }

    private func file(_ kind: String) throws -> Data {
        try Data(contentsOf: try #require(Bundle.module.url(forResource: "Tables/sweep", withExtension: kind)))
    }

    /// Runs of every model around `best`, with `noise`-free parabolas of the loss in ln of the setting.
    private func runs(
        _ setting: SweptSetting, sizes: [Double] = [1e7, 1e8], lengths: [Double] = [1e9, 4e9], experts: [Double] = [1],
        steps: ClosedRange<Int> = -2...2, best: (Double, Double, Double) -> Double
    ) -> [RunMeasurement] {
        experts.flatMap { e in
            sizes.flatMap { n in
                lengths.flatMap { d in
                    steps.map { step -> RunMeasurement in
                        let offset = 0.4 * Double(step), value = best(n, e, d) * exp(offset)
                        return RunMeasurement(
                            source: "run", point: ScalePoint(active: n, total: 10 * n, tokens: d, experts: e),
                            loss: 3 + 0.02 * offset * offset, learningRate: setting == .learningRate ? value : 1e-3,
                            batchTokens: setting == .batchTokens ? value : 65_536)
                    }
                }
            }
        }
    }

    @Test func ratesAndTheirRuleAreThoseOfTheReference() throws {
        let text = String(decoding: try file("csv"), as: UTF8.self)
        let records = try runTable(csv: text, file: "sweep.csv", for: SettingSweep.needs(.learningRate)).records
        let found = try SettingSweep(.learningRate, records, resamples: 100, seed: 1)
        let reference = try JSONDecoder().decode(Reference.self, from: try file("json"))
        #expect(found.optima.count == 18 && reference.optima.count == 18 && found.unused.isEmpty)
        for (optimum, expected) in zip(found.optima, reference.optima) {
            #expect(optimum.kind.experts == expected.experts && optimum.active == expected.active)
            expect(optimum.tokens, expected.tokens, within: 1e-9)
            expect(optimum.best, expected.best, within: 1e-9)
            expect(optimum.loss, expected.loss, within: 1e-12)
            #expect(try #require(optimum.interval).contains(optimum.best))
        }
        let rule = try #require(found.rule)
        expect(rule.coefficient, exp(reference.coefficients[0]), within: 1e-7)
        for (name, j) in [("n_active", 1), ("experts", 2), ("tokens", 3)] {
            expect(try #require(rule.exponents[name]), reference.coefficients[j], within: 1e-8)
            let ends = try #require(rule.intervals[name])
            expect((ends[1] - ends[0]) / 2, reference.halfWidths[j], within: 0.002)
        }
        #expect(abs(try #require(rule.exponents["n_active"]) + 0.81) < 0.03)
        #expect(abs(try #require(rule.exponents["experts"]) + 0.25) < 0.03)
    }

    @Test func thePapersRulesComeBackFromTheirOptima() throws {
        let rates = runs(.learningRate, lengths: [1e9], experts: [1, 8]) { n, e, _ in
            peakLearningRate(active: n, experts: e)
        }
        let rate = try #require(try SettingSweep(.learningRate, rates, resamples: 0, seed: 1).rule)
        expect(rate.coefficient, exp(8.391640956234012), within: 1e-8)
        expect(try #require(rate.exponents["n_active"]), -0.8121798244457074, within: 1e-9)
        expect(try #require(rate.exponents["experts"]), -0.25, within: 1e-9)
        #expect(rate.leftOut["tokens"] == "it is the same at all points" && rate.exponents["tokens"] == nil)
        let batches = runs(.batchTokens) { _, _, d in StepLaw.batchTokens(tokens: d) }
        let found = try SettingSweep(.batchTokens, batches, resamples: 0, seed: 1), batch = try #require(found.rule)
        expect(batch.coefficient, 0.58, within: 1e-7)
        expect(try #require(batch.exponents["tokens"]), 0.571, within: 1e-9)
        #expect(abs(try #require(batch.exponents["n_active"])) < 1e-9)
        #expect(found.text.contains("B = 0.58") && found.text.contains("E is left out: it is the same at all points"))
        let json = String(decoding: try JSONEncoder().encode(SettingSweepRecord(found)), as: UTF8.self)
        for key in ["\"setting\":\"batch_tokens\"", "\"optima\"", "\"rule\"", "\"published\"", "\"left_out\""] {
            #expect(json.contains(key))
        }
    }

    @Test func sizesThatGrowWithTheTokensLeaveOneOfThemOut() throws {
        let all = runs(.learningRate, sizes: [1e7, 1e8, 1e9], lengths: [2e8, 2e9, 2e10]) { n, _, _ in 3 * pow(n, -0.4) }
        let along = all.filter { $0.point.tokens == 20 * $0.point.active }
        let rule = try #require(try SettingSweep(.learningRate, along, resamples: 0, seed: 1).rule)
        #expect(rule.leftOut["tokens"]?.contains("goes with n_active") == true && rule.points == 3, "\(rule)")
        expect(try #require(rule.exponents["n_active"]), -0.4, within: 1e-9)
    }

    @Test func sweepsWithoutABestValueAreNamedAndNotUsed() throws {
        let good = runs(.learningRate, sizes: [1e8], lengths: [1e9, 4e9]) { _, _, _ in 1e-3 }
        let high = runs(.learningRate, sizes: [1e7], lengths: [1e9], steps: 1...5) { _, _, _ in 1e-3 }
        let few = runs(.learningRate, sizes: [1e6], lengths: [1e9], steps: -1...1) { _, _, _ in 1e-3 }
        let found = try SettingSweep(.learningRate, good + high + few, resamples: 0, seed: 1)
        #expect(found.optima.map(\.active) == [1e8, 1e8] && found.unused.map(\.active) == [1e6, 1e7])
        #expect(found.unused[0].reason.contains("3 different learning rates"))
        #expect(found.unused[1].reason.contains("still falls below 0.00149: add smaller learning rates"))
        #expect { try SettingSweep(.learningRate, high + few, resamples: 0, seed: 1) } throws: {
            ($0 as? Failure)?.status == .data && "\($0)".contains("no model's losses have a minimum")
        }
        #expect {
            try runTable(
                csv: "n_active,tokens,loss\n1e8,1e9,3\n", file: "runs.csv", for: SettingSweep.needs(.batchTokens))
        } throws: { "\($0)".contains("no `batch_tokens`, which the law `batch-size` needs") }
    }

    /// Where a sweep varies both settings, the curve is that at the other setting of the lowest loss.
    @Test func theOtherSettingIsHeldWhereTheLossIsLowest() throws {
        let best = runs(.learningRate, sizes: [1e8], lengths: [1e9]) { _, _, _ in 1e-3 }
        let worse = best.map { run in
            RunMeasurement(
                source: "other", point: run.point, loss: run.loss + 0.1 * log((run.learningRate ?? .nan) / 1e-5),
                learningRate: run.learningRate, batchTokens: 1e6)
        }
        let found = try SettingSweep(.learningRate, worse + best, resamples: 0, seed: 1)
        #expect(found.optima.count == 1 && found.optima[0].runs == best.count && found.rule == nil)
        expect(found.optima[0].best, 1e-3, within: 1e-9)
    }
}
