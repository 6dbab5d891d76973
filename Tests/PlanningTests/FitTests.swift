import Planning
import Testing

/// Laws fitted to losses that they gave, from the papers' start grids. One after another: each fit takes all cores.
@Suite(.serialized) struct FitTests {
    /// N_opt and the true loss there, under a fitted law and under the true one.
    struct Recovery {
        let size, loss: Double

        init(_ fitted: any ScalingLaw, _ truth: any ScalingLaw, flops: Double, experts: Double, granularities: [Double])
            throws
        {
            func optimum(_ law: any ScalingLaw) throws -> (sizing: Sizing, granularity: Double) {
                let metadata = type(of: law).metadata
                var request = PlanRequest.budget(flops, experts: [experts])
                request.granularities = granularities
                let planning = PlanningLaw(
                    name: "test", law: law, dense: nil, domain: metadata.domain, certainty: .unknown)
                let entry = try Plan(request, by: planning).entries.min { $0.optimum.loss < $1.optimum.loss }!
                return (entry.optimum, entry.granularity)
            }
            let (found, best) = (try optimum(fitted), try optimum(truth))
            let shape = Architecture(dModel: found.sizing.dModel, experts: experts, granularity: found.granularity)
            let point = type(of: truth).metadata.counting.point(shape, tokens: found.sizing.tokens)
            size = found.sizing.activeParameters / best.sizing.activeParameters - 1
            loss = truth.loss(at: point) / best.sizing.loss - 1
        }
    }

    /// Fits `seeds` data sets and holds the medians against the bounds.
    func recover<Law: ScalingLaw>(
        _ truth: Law, experts: [Double], granularities: [Double] = [1], noise: Double, seeds: ClosedRange<UInt64>,
        _ runs: (Double, UInt64) -> [RunMeasurement]
    ) throws -> [Fit<Law>] {
        var options = FitOptions()
        options.resamples = 0
        let fits = try seeds.map { try Fit<Law>(runs(noise, $0), options) }
        for (flops, allowed) in [(1e20, 0.05), (1e22, 0.12)] {
            for e in experts {
                let found = try fits.map {
                    try Recovery($0.law, truth, flops: flops, experts: e, granularities: granularities)
                }
                let size = median(found.map { abs($0.size) }), loss = median(found.map(\.loss))
                #expect(size <= (noise > 0 ? allowed : 0.001), "N_opt of E = \(e) at \(flops)")
                #expect(loss <= 0.001 && loss > -1e-9, "loss of E = \(e) at \(flops)")
            }
        }
        let heldOut = median(fits.compactMap(\.heldOutError))
        #expect(heldOut <= 0.005)
        if noise > 0 { #expect(heldOut > 0.5 * noise, "held-out runs are noisy too") }
        return fits
    }

    @Test func jointLawFromExactLosses() throws {
        let clock = ContinuousClock(), slowBefore = slowness(), start = clock.now
        let fits = try recover(
            JointLaw.published, experts: Simulation.jointExperts, noise: 0, seeds: 1...1, Simulation.joint)
        let elapsed = clock.now - start
        #expect(
            elapsed < .seconds(60) * max(slowBefore, slowness()),
            "a full fit of 270 runs takes under a minute on two cores that have nothing else to do")
        #expect(fits[0].runs.count == 270 && fits[0].heldOut.count == 30)
        for (found, true_) in zip(fits[0].law.parameters, JointLaw.published.parameters) {
            expect(found, true_, within: 1e-6)
        }
        #expect(fits[0].identifiability.undetermined.isEmpty)
    }

    @Test func jointLawFromNoisyLosses() throws {
        _ = try recover(
            JointLaw.published, experts: Simulation.jointExperts, noise: 0.004, seeds: 1...5, Simulation.joint)
    }

    @Test(arguments: [0, 0.004]) func fineGrainedLaw(noise: Double) throws {
        let powers = [1.0, 2, 4, 8, 16, 32, 64]
        let fits = try recover(
            FineGrainedLaw.published, experts: [64], granularities: powers, noise: noise,
            seeds: 1...(noise > 0 ? 5 : 1),
            Simulation.fineGrained)
        if noise == 0 {
            for (found, true_) in zip(fits[0].law.parameters, FineGrainedLaw.published.parameters) {
                expect(found, true_, within: 1e-4)
            }
        }
    }

    @Test(arguments: [0, 0.004]) func chinchilla(noise: Double) throws {
        let fits = try recover(
            ChinchillaLaw.refitted, experts: [1], noise: noise, seeds: 1...(noise > 0 ? 5 : 1), Simulation.chinchilla)
        if noise == 0 {
            for (found, true_) in zip(fits[0].law.parameters, ChinchillaLaw.refitted.parameters) {
                expect(found, true_, within: 1e-4)
            }
        }
    }

    /// Chinchilla's grid is small enough to descend from all of it: the screened starts end in the same place.
    @Test func screenedStartsFindWhatTheFullGridFinds() throws {
        let runs = Simulation.chinchilla(noise: 0.02, seed: 7).enumerated().filter { $0.offset.isMultiple(of: 5) }.map(
            \.element)
        var options = FitOptions()
        options.resamples = 0
        let screened = try Fit<ChinchillaLaw>(runs, options)
        options.fullGrid = true
        let full = try Fit<ChinchillaLaw>(runs, options)
        #expect(full.starts == 4500 && screened.starts < 100)
        expect(screened.minimum, full.minimum, within: 1e-9)
        for (a, b) in zip(screened.law.parameters, full.law.parameters) { expect(a, b, within: 1e-4) }
    }

    /// The other forms come back from exact losses as well.
    @Test func theOtherLawsPredictExactLosses() throws {
        func check<Law: ScalingLaw>(_ law: Law, _ points: [ScalePoint]) throws {
            var options = FitOptions()
            options.resamples = 0
            let fit = try Fit<Law>(Simulation.runs(points, law, noise: 0, seed: 1), options)
            #expect(fit.trainingError < 1e-5 && fit.heldOutError! < 1e-4, "\(law.name)")
        }
        let points = Simulation.joint(noise: 0, seed: 1).map(\.point)
        try check(RoutedLaw.published, points)
        try check(LawTests.inference, points)
        try check(SparsityLaw.published, points)
        let leveraged = [1e18, 1e20, 1e22].flatMap { flops in
            [2.0, 4, 8, 16].flatMap { g in
                [4.0, 8, 16, 32, 64, 128].map { e in
                    ScalePoint(active: 1, total: 1, tokens: 1, experts: e, granularity: g, flops: flops)
                }
            }
        }
        try check(EfficiencyLeverage.published, leveraged)
    }
}
