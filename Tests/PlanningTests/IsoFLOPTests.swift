import Diagnostics
import Foundation
import Planning
import Platform
import Testing

/// The minima of isoFLOP curves against NumPy (scripts/curve-reference.py) and against laws whose optimum is known.
@Suite struct IsoFLOPTests {
    private struct Reference: Decodable {
        struct Optimum: Decodable { let experts, flops, active, tokens, loss, curvature: Double, runs: Int }
        struct Growth: Decodable {
            let experts: Double
            let active, tokens: [Double]
            let halfWidth: Double

            enum CodingKeys: String, CodingKey { case experts, active, tokens, halfWidth = "active_half_width" }
        }
        struct Surface: Decodable { let budget, error: Double, runs: Int, coefficients: [Double] }
        let optima: [Optimum]
        let growths: [Growth]
        let surfaces: [Surface]
    }

    private func file(_ name: String, _ kind: String) throws -> Data {
        try Data(contentsOf: try #require(Bundle.module.url(forResource: "Tables/\(name)", withExtension: kind)))
    }

    private func simulated() throws -> IsoFLOP {
        let text = String(decoding: try file("isoflop", "csv"), as: UTF8.self)
        return try IsoFLOP(
            runTable(csv: text, file: "isoflop.csv", for: IsoFLOP.needs).records, resamples: 100, seed: 1)
    }

    @Test func minimaAreThoseOfTheReference() throws {
        let found = try simulated()
        let reference = try JSONDecoder().decode(Reference.self, from: try file("isoflop", "json"))
        #expect(found.optima.count == 10 && reference.optima.count == 10)
        for (optimum, expected) in zip(found.optima, reference.optima) {
            #expect(optimum.kind.experts == expected.experts && optimum.runs == expected.runs)
            expect(optimum.flops, expected.flops, within: 1e-12)
            expect(optimum.active, expected.active, within: 1e-9)
            expect(optimum.tokens, expected.tokens, within: 1e-9)
            expect(optimum.loss, expected.loss, within: 1e-12)
            expect(optimum.curvature, expected.curvature, within: 1e-9)
            let interval = try #require(optimum.activeInterval)
            #expect(interval.contains(optimum.active) && interval.upperBound < 1.2 * interval.lowerBound)
        }
        for (growth, expected) in zip(found.growths, reference.growths) {
            #expect(growth.kind.experts == expected.experts)
            expect(growth.active.coefficient, exp(expected.active[0]), within: 1e-7)
            expect(try #require(growth.active.exponents["flops"]), expected.active[1], within: 1e-9)
            expect(try #require(growth.tokens.exponents["flops"]), expected.tokens[1], within: 1e-9)
            // Student's quantile is expanded, not exact.
            let ends = try #require(growth.active.intervals["flops"])
            expect((ends[1] - ends[0]) / 2, expected.halfWidth, within: 0.025)
        }
        #expect(found.growths.count == 3 && reference.growths.count == 3)
    }

    @Test func surfacesAreThoseOfTheReference() throws {
        let found = try simulated()
        let reference = try JSONDecoder().decode(Reference.self, from: try file("isoflop", "json"))
        #expect(found.surfaces.count == 4 && reference.surfaces.count == 4)
        for (surface, expected) in zip(found.surfaces, reference.surfaces) {
            expect(surface.flops, expected.budget, within: 0.005)
            #expect(surface.runs == expected.runs && surface.coefficients.count == 7)
            expect(surface.error, expected.error, within: 1e-7)
            for (coefficient, reference) in zip(surface.coefficients, expected.coefficients) {
                expect(coefficient, reference, within: 1e-6)
            }
            for optimum in surface.optima {
                guard let total = optimum.total else { continue }
                let loss = { (factor: Double) in surface.loss(total: total * factor, sparsity: optimum.sparsity) }
                #expect(loss(1) < loss(1.01) && loss(1) < loss(0.99))
            }
        }
        let last = try #require(found.surfaces.last).optima
        #expect(last.map { $0.total == nil } == [false, true, false], "8 experts have no minimum at 1e21 FLOPs")
    }

    @Test func curvesWithoutAMinimumAreNamedAndNotUsed() throws {
        let found = try simulated()
        #expect(found.unused.map(\.kind.experts) == [8, 32] && found.unused.map(\.runs) == [7, 4])
        #expect(found.unused[0].reason.contains("still falls below 5.11B active parameters: add smaller models"))
        #expect(found.unused[1].reason.contains("3 different sizes"))
        #expect(found.text.contains("Not used:\n  1e21 FLOPs, E = 8, 7 runs: the loss still falls below"))
        let json = String(decoding: try JSONEncoder().encode(IsoFLOPRecord(found)), as: UTF8.self)
        for key in ["optima", "unused", "power_laws", "surfaces", "active_parameters_interval", "reason", "exponents"] {
            #expect(json.contains("\"\(key)\""))
        }
    }

    /// `L = E + A/N^α + B/D^β` has `N_opt = (αA/βB)^(1/(α+β))·(C/6)^(β/(α+β))` (Hoffmann et al. 2022, eq. 4).
    @Test func aLawOfTwoPowersIsRecovered() throws {
        let law = ChinchillaLaw.refitted
        let (n, d) = (law.alpha, law.beta)
        let best = { (flops: Double) in pow(n * law.a / (d * law.b), 1 / (n + d)) * pow(flops / 6, d / (n + d)) }
        let points = [1e18, 1e19, 1e20, 1e21].flatMap { flops in
            (-3...3).map { step -> ScalePoint in
                let size = best(flops) * pow(1.25, Double(step))
                return ScalePoint(active: size, total: size, tokens: flops / (6 * size))
            }
        }
        let exact = try IsoFLOP(Simulation.runs(points, law, noise: 0, seed: 1), resamples: 0, seed: 1)
        for optimum in exact.optima {
            expect(optimum.active, best(optimum.flops), within: 0.01)
            expect(optimum.tokens, optimum.flops / (6 * optimum.active), within: 1e-9)
            #expect(optimum.activeInterval == nil)
        }
        let growth = try #require(exact.growths.first)
        #expect(abs(try #require(growth.active.exponents["flops"]) - d / (n + d)) < 1e-3)
        #expect(abs(try #require(growth.tokens.exponents["flops"]) - n / (n + d)) < 1e-3)
        let noisy = try IsoFLOP(Simulation.runs(points, law, noise: 0.002, seed: 3), resamples: 100, seed: 1)
        for optimum in noisy.optima { expect(optimum.active, best(optimum.flops), within: 0.15) }
    }

    @Test func budgetsAreJoinedWithinFivePercent() throws {
        func budgets(_ spread: Double) throws -> [Int] {
            let points = (0..<10).map { index -> ScalePoint in
                let size = 1e8 * pow(1.3, Double(index % 5) - 2), flops = 1e18 * (index < 5 ? 1 : spread)
                return ScalePoint(active: size, total: size, tokens: flops / (6 * size))
            }
            let runs = points.map { point in
                RunMeasurement(source: "", point: point, loss: 3 + 0.05 * pow(log(point.active / 1e8), 2))
            }
            return try IsoFLOP(runs, resamples: 0, seed: 1).optima.map(\.runs)
        }
        #expect(try budgets(1.049) == [10])
        #expect(try budgets(1.051) == [5, 5])
    }

    @Test func runsWithoutAnyCurveAreRefused() {
        func refuse(_ runs: [RunMeasurement], saying words: String) {
            #expect { try IsoFLOP(runs, resamples: 10, seed: 1) } throws: { error in
                guard let failure = error as? Failure, failure.status == .data else { return false }
                return failure.description.contains(words)
            }
        }
        let falling = (0..<6).map { index -> RunMeasurement in
            let size = 1e8 * pow(1.5, Double(index))
            return RunMeasurement(
                source: "run \(index)", point: ScalePoint(active: size, total: size, tokens: 1e18 / (6 * size)),
                loss: 4 - 0.1 * Double(index))
        }
        refuse(falling, saying: "1e18 FLOPs, E = 1, 6 runs: the loss")
        refuse(Array(falling.prefix(3)), saying: "3 different sizes; a parabola takes 4 or more")
        refuse(falling + [falling[2]], saying: "run 2 repeats run 2")
    }

    @Test func mixturesNeedBothCounts() {
        #expect {
            try runTable(csv: "n_active,tokens,experts,loss\n1e8,1e9,8,3\n", file: "runs.csv", for: IsoFLOP.needs)
        } throws: { "\($0)".contains("no `n_total`, which the law `isoflop` needs") }
    }
}
