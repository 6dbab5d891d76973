import Diagnostics
import Foundation
import Planning
import Testing

@Suite(.serialized) struct FitsPerExpertsTests {
    private var options: FitOptions {
        var options = FitOptions()
        options.resamples = 0
        return options
    }

    /// For a fixed E the joint law is Chinchilla-shaped (its paper's Table 4): exact losses give those coefficients back.
    @Test func fitsOfTheJointLawsLossesAreItsTable4() throws {
        let fits = try FitsPerExperts(ChinchillaLaw.self, Simulation.joint(noise: 0, seed: 1), options)
        #expect(fits.fits.map(\.experts) == Simulation.jointExperts && fits.unused.isEmpty)
        for (experts, report) in fits.fits {
            let (m, mu, n, nu) = JointLaw.published.chinchillaForm(experts: experts)
            for (found, expected) in zip(report.law.parameters, [1.3637, m, n, -mu, -nu]) {
                expect(found, expected, within: 1e-4, "E = \(experts)")
            }
        }
    }

    /// Each fit is what a fit of those runs alone gives; the errors of all are pooled by runs.
    @Test func everyFitIsThatOfItsRunsAlone() throws {
        let runs = Simulation.joint(noise: 0.004, seed: 2)
        let fits = try FitsPerExperts(ChinchillaLaw.self, runs, options)
        var squares = 0.0, kept = 0
        for (experts, report) in fits.fits {
            let alone = try FitReport(ChinchillaLaw.self, runs.filter { $0.point.experts == experts }, options)
            #expect(report.record.values == alone.record.values)
            squares += pow(alone.record.rmseTrain, 2) * Double(alone.record.runs - alone.record.heldOut)
            kept += alone.record.runs - alone.record.heldOut
        }
        expect(fits.rmse.train, (squares / Double(kept)).squareRoot(), within: 1e-12)
        // As close as the noise lets a law come, and closer than one law for all.
        #expect(fits.rmse.train < 0.0043 && fits.rmse.train > 0.003)
        let joint = try FitReport(ChinchillaLaw.self, runs, options)
        #expect(fits.rmse.train < 0.2 * joint.record.rmseTrain)
    }

    @Test func numbersOfExpertsWithFewRunsAreNamed() throws {
        let all = Simulation.joint(noise: 0.004, seed: 3)
        let runs = all.filter { $0.point.experts == 1 } + all.filter { $0.point.experts == 8 }.prefix(5)
        let fits = try FitsPerExperts(ChinchillaLaw.self, runs, options)
        #expect(fits.fits.map(\.experts) == [1])
        #expect(fits.unused.map(\.experts) == [8] && fits.unused[0].runs == 5)
        #expect(fits.text.contains("8 experts: 5 runs are too few for the law `chinchilla`"))
        let json = String(decoding: try JSONEncoder().encode(fits.record), as: UTF8.self)
        for key in ["\"per\":\"experts\"", "\"fits\"", "\"unused\"", "\"rmse_train\""] { #expect(json.contains(key)) }
        #expect { try FitsPerExperts(ChinchillaLaw.self, Array(runs.suffix(5)), options) } throws: {
            ($0 as? Failure)?.status == .data
        }
    }

    @Test func aLawOfExpertsHasNoFitForEach() {
        #expect { try FitsPerExperts(JointLaw.self, Simulation.joint(noise: 0, seed: 1), options) } throws: {
            ($0 as? Failure)?.status == .usage && "\($0)".contains("use --law chinchilla")
        }
        #expect {
            try runTable(
                csv: "n_active,tokens,loss\n1e8,1e9,3\n", file: "runs.csv",
                for: FitsPerExperts.needs(ChinchillaLaw.metadata))
        } throws: { "\($0)".contains("no `experts`") }
    }
}
