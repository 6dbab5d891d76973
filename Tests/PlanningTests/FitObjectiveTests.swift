import Foundation
import Planning
import Testing

/// Weights of runs and decay of coordinates in the objective. Minima by SciPy: scripts/fit-reference.py with the columns
/// `weights` and `decay`.
@Suite(.serialized) struct FitObjectiveTests {
    private func fit(
        _ name: String, _ law: any ScalingLaw.Type, _ weighting: RunWeighting, _ decay: Double
    ) throws -> FitReport {
        let file = try #require(Bundle.module.url(forResource: "Tables/\(name)", withExtension: "csv"))
        let text = try String(contentsOf: file, encoding: .utf8)
        var options = FitOptions()
        (options.weighting, options.decay, options.resamples) = (weighting, decay, 0)
        return try FitReport(law, runTable(csv: text, file: name, for: RunNeeds([law.metadata])).records, options)
    }

    /// The objective written out.
    private func objective(_ law: any ScalingLaw, _ runs: [RunMeasurement], _ report: FitReport) -> Double {
        let record = report.record, delta = record.huber
        let mean = runs.reduce(0) { $0 + 1 / $1.loss } / Double(runs.count)
        let losses = runs.map { run -> Double in
            let r = abs(log(law.loss(at: run.point)) - log(run.loss))
            let huber = r <= delta ? r * r / 2 : delta * (r - delta / 2)
            return (record.weighting == .loss ? 1 / run.loss / mean : 1) * huber
        }
        let decay = record.decay ?? 0
        return losses.reduce(0, +) + decay / 2 * law.coordinates.reduce(0) { $0 + $1 * $1 }
    }

    @Test(arguments: [
        ("kinks", "chinchilla", RunWeighting.loss, 0, 0.0006286912918363326),
        ("kinks", "chinchilla", .equal, 1e-5, 0.001065852158522421),
        ("kinks", "chinchilla", .loss, 1e-5, 0.0010714739563997158),
        ("basins", "joint", .loss, 1e-5, 0.002069101713694086),
        ("isoflop", "joint", .loss, 1e-5, 0.00018576606897098167),
    ])
    func minimaAreSciPys(table: String, law: String, weighting: RunWeighting, decay: Double, minimum: Double) throws {
        let report = try fit(table, LawCatalog.form(named: law), weighting, decay)
        expect(report.record.objective, minimum, within: 1e-7)
        let runs = report.residuals.map(\.run)
        expect(objective(report.law, runs, report), report.record.objective, within: 1e-9)
        #expect(report.record.weighting == (weighting == .equal ? nil : weighting))
        #expect(report.record.decay == (decay == 0 ? nil : decay))
    }

    /// No coordinate can be moved without raising the objective: the decay belongs to what is minimized.
    @Test func theMinimumIsOfTheDecayedObjective() throws {
        let report = try fit("kinks", ChinchillaLaw.self, .loss, 1e-5), runs = report.residuals.map(\.run)
        let best = objective(report.law, runs, report)
        for j in 0..<5 {
            for step in [-0.01, 0.01] {
                var theta = report.law.coordinates
                theta[j] += step
                #expect(objective(ChinchillaLaw(coordinates: theta), runs, report) > best)
            }
        }
    }

    /// A decay pulls the coordinates towards zero, the more the larger it is; nothing asked for changes nothing.
    @Test func decayShrinksTheCoordinates() throws {
        let lengths = try [0, 1e-6, 1e-5, 1e-4].map { decay in
            let law = try fit("kinks", ChinchillaLaw.self, .equal, decay).law
            return law.coordinates.reduce(0) { $0 + $1 * $1 }
        }
        for (light, heavy) in zip(lengths, lengths.dropFirst()) { #expect(heavy < light) }
        let plain = try fit("kinks", ChinchillaLaw.self, .equal, 0).record
        #expect(plain.weighting == nil && plain.decay == nil)
        let json = String(decoding: try JSONEncoder().encode(plain), as: UTF8.self)
        #expect(!json.contains("weighting") && !json.contains("weight_decay"))
    }

    /// Runs of high loss that follow another law move a weighted fit less.
    @Test func highLossesCountLess() throws {
        let law = ChinchillaLaw.refitted
        let runs = Simulation.chinchilla(noise: 0, seed: 1).enumerated().map { index, run in
            // One run in four, of the highest losses, is 1 % above the law.
            let factor = run.loss > 2.9 && index.isMultiple(of: 4) ? 1.01 : 1
            return RunMeasurement(source: run.source, point: run.point, loss: factor * run.loss)
        }
        let deviations = try [RunWeighting.equal, .loss].map { weighting in
            var options = FitOptions()
            (options.weighting, options.resamples, options.huber) = (weighting, 0, 1)
            let fitted = try FitReport(ChinchillaLaw.self, runs, options).law
            return runs.reduce(0) { $0 + abs(log(fitted.loss(at: $1.point) / law.loss(at: $1.point))) }
        }
        #expect(deviations[0] > 0 && deviations[1] < deviations[0])
    }
}
