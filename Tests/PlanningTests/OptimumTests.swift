import Foundation
import Planning
import Platform
import Testing

/// Fits end at the minimum of their objective. References: scripts/fit-reference.py (SciPy 1.17.1, L-BFGS-B from 10 starts
/// or more, then Nelder-Mead), which knows nothing of this code.
@Suite(.serialized) struct OptimumTests {
    private func fit(_ law: LawMetadata, _ runs: [RunMeasurement], _ change: (inout FitOptions) -> Void = { _ in })
        throws
        -> FitReport
    {
        var options = FitOptions()
        options.resamples = 0
        change(&options)
        return try FitReport(try LawCatalog.form(named: law.name), runs, options)
    }

    private func table(_ name: String, _ law: LawMetadata) throws -> [RunMeasurement] {
        let file = try #require(Bundle.module.url(forResource: "Tables/\(name)", withExtension: "csv"))
        return try runTable(csv: String(contentsOf: file, encoding: .utf8), file: name, for: RunNeeds([law])).records
    }

    /// Most residuals lie beyond δ: L-BFGS takes no step from the values of `--train-only`, 2.6 % above the minimum.
    @Test func theLastDescentGoesOnAtAKink() throws {
        let runs = try table("kinks", ChinchillaLaw.metadata)
        let all = try fit(ChinchillaLaw.metadata, runs),
            without = try fit(ChinchillaLaw.metadata, runs) { $0.refit = false }
        expect(all.record.objective, 0.0006245210656238367, within: 1e-9)
        #expect(all.record.values != without.record.values)
    }

    /// The best end without the held-out runs leads to another basin, 2 % above; and the minimum has β and E_max at their
    /// bounds, so the runs determine neither.
    @Test func severalEndsAreDescendedWithAllRuns() throws {
        let report = try fit(JointLaw.metadata, try table("basins", JointLaw.metadata))
        expect(report.record.objective, 0.0018394987654149556, within: 1e-7)
        #expect(Set(report.record.undetermined.keys) == ["beta", "E_max"])
        #expect(report.text.contains("beta: every value above -0.1"))
        for (value, parameter) in zip(report.record.values, JointLaw.metadata.parameters) {
            #expect(value >= parameter.bounds.lowerBound && value <= parameter.bounds.upperBound * (1 + 1e-9))
        }
    }

    @Test(arguments: minima)
    func simulatedTablesEndWhereSciPyEnds(name: String, seed: UInt64, minimum: Double) throws {
        let (law, count) = try #require(SimulatedStudy.law(named: name))
        let report = try fit(type(of: law).metadata, SimulatedTable(seed: seed).runs(law, count: count))
        expect(report.record.objective, minimum, within: 1e-6)
    }

    private static let minima: [(String, UInt64, Double)] = [
        ("chinchilla", 1, 0.00010775524481705457),
        ("chinchilla", 2, 0.00013370117971594318),
        ("joint", 1, 0.00016104245085230443),
        ("joint", 2, 0.0002086995704994897),
        ("fine-grained", 1, 0.00019541663237351332),
        ("fine-grained", 2, 0.0002202989862649373),
        ("sparsity", 1, 0.00012042733606356832),
        ("routed", 1, 0.00013551439606697353),
        ("routed", 2, 0.00018420296360864956),
        ("comprehensive", 1, 0.00016353290874891103),
        ("comprehensive", 2, 0.00020753043959168883),
        ("inference", 1, 0.000223813406888013),
        ("leverage", 1, 0.00013590561845178075),
        ("leverage", 2, 0.00018473571055869134),
    ]

    /// Resamples go through the same descent: none keeps the values of the fit.
    @Test func resamplesAreDescendedToo() throws {
        let runs = try table("kinks", ChinchillaLaw.metadata)
        let report = try fit(ChinchillaLaw.metadata, runs) { $0.resamples = 40 }
        let samples = try #require(report.record.samples)
        #expect(samples.count == 40 && Set(samples.map { $0[0] }).count == 40)
        #expect(!samples.contains(report.record.values))
    }

    /// What `LocalModel` builds on: a term's slope by one coordinate that it calls linear does not change along another.
    @Test(arguments: LawTests.laws.indices) func termsAreLinearWhereTheySay(law index: Int) {
        func check<Law: ScalingLaw>(_ law: Law) {
            let parameters = Law.metadata.parameters
            let plain = parameters.indices.filter { parameters[$0].isLinear }
            for x in LawTests.samples {
                var before = LawTerms(for: Law.metadata), after = before
                law.terms(at: x, into: &before)
                for j in plain {
                    var theta = law.coordinates
                    theta[j] += 0.1
                    Law(coordinates: theta).terms(at: x, into: &after)
                    for k in 0..<before.terms {
                        for c in plain {
                            let change = abs(after[k, c] - before[k, c])
                            #expect(change <= 1e-9 * max(1, abs(before[k, c])), "\(law.name), term \(k)")
                        }
                    }
                }
            }
        }
        check(LawTests.laws[index])
    }

    /// Published coefficients lie inside the bounds, far from corners.
    @Test(arguments: LawTests.laws.indices) func publishedLawsLieInsideTheirBounds(law index: Int) {
        let law = LawTests.laws[index]
        for (value, parameter) in zip(law.parameters, type(of: law).metadata.parameters) {
            #expect(
                parameter.bounds.lowerBound < value && value < parameter.bounds.upperBound,
                "\(law.name) \(parameter.name)")
        }
    }
}

/// 80 % intervals hold the truth as often as they say; docs/laws.md has all laws, 200 fits each.
@Suite(.serialized) struct CoverageTests {
    @Test(arguments: [("chinchilla", 0.0), ("chinchilla", 0.05), ("leverage", 0)])
    func intervalsHoldTheTruth(name: String, outliers: Double) throws {
        let (law, count) = try #require(SimulatedStudy.law(named: name))
        let coverage = try Coverage.measure(law, runs: count, seeds: 1...60, outliers: outliers)
        #expect(coverage.ratio >= 0.73 && coverage.ratio <= 0.87, "\(coverage.text)")
        #expect(coverage.determined.allSatisfy { $0 >= 50 }, "\(coverage.text)")
    }

    /// Tables of 64 runs leave the joint law's E_start and E_max vague. What is printed must hold all the same.
    @Test func fewRunsOfTheJointLawClaimLittle() throws {
        let coverage = try Coverage.measure(JointLaw.published, runs: 64, seeds: 1...12, outliers: 0)
        let (start, maximum) = (8, 9)
        #expect(coverage.parameters[start] == "E_start" && coverage.parameters[maximum] == "E_max")
        #expect(coverage.held[start] >= coverage.determined[start] - 5, "\(coverage.text)")
        #expect(coverage.determined[maximum] < 12, "\(coverage.text)")
    }
}
