import Planning
import Testing

/// What the joint paper concludes from its law, from the law.
@Suite struct ClaimTests {
    /// At equal compute more experts want fewer active parameters and more tokens, and reach a lower loss.
    @Test(arguments: [1e19, 1e20, 1e21, 1e22, 1e23])
    func moreExpertsAreSmallerLongerAndBetter(flops: Double) throws {
        let optima = try [1.0, 2, 4, 8, 16, 32].map { try PlanTests.joint(flops: flops, experts: [$0]).best.optimum }
        for (few, many) in zip(optima, optima.dropFirst()) {
            #expect(many.activeParameters < few.activeParameters)
            #expect(many.tokens > few.tokens)
            #expect(many.loss < few.loss)
        }
        if flops == 1e20 {
            expect(optima[0].loss, 2.5897, within: 1e-4)
            expect(optima[5].loss, 2.4724, within: 1e-4)
        }
    }

    /// With as many parameters in all as the compute-optimal dense model and E times its tokens, E ≤ 8 experts win.
    @Test(arguments: [1e19, 1e20, 1e21, 1e22], [2.0, 4, 8])
    func anMoEOfTheDenseModelsMemoryWinsWithETimesTheTokens(flops: Double, experts: Double) throws {
        let dense = try PlanTests.joint(flops: flops, experts: [1]).best.optimum
        // the width whose total is the dense model's
        var (low, high) = (64.0, dense.dModel)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            let total = Counting.decoder.point(Architecture(dModel: middle, experts: experts), tokens: 1).total
            if total < dense.totalParameters { low = middle } else { high = middle }
        }
        let mixture = Counting.decoder.point(
            Architecture(dModel: low, experts: experts), tokens: experts * dense.tokens)
        expect(mixture.total, dense.totalParameters, within: 1e-9)
        let loss = JointLaw.published.loss(at: mixture)
        #expect(loss < dense.loss, "E = \(experts) at \(flops): \(loss) against \(dense.loss)")
        // and it costs less to train than the dense model with as many tokens
        #expect(6 * mixture.active * mixture.tokens < experts * flops)
    }

    /// The best E for 24, 80 and 640 GB with a cache of 16k tokens, 1e21 to 1e24 FLOPs, at most 400 tokens a parameter:
    /// falls with compute, rises with memory, and ends dense.
    @Test func littleMemoryAndMuchComputeFavorDense() throws {
        let best = try [24e9, 80e9, 640e9].map { bytes in
            try [1e21, 1e22, 1e23, 1e24].map { flops in
                try PlanTests.joint(flops: flops) {
                    $0.memory = .init(bytes: bytes, cachedTokens: 16384)
                    $0.maximumTokensPerParameter = 400
                }.best.experts
            }
        }
        #expect(best == [[16, 4, 1, 1], [32, 16, 4, 1], [32, 32, 32, 8]])
    }

    /// Experts save compute, and more of it at larger budgets.
    @Test func experiencedSavingsGrowWithExpertsAndBudget() throws {
        func saved(_ flops: Double, _ experts: Double) throws -> Double {
            try #require(try PlanTests.joint(flops: flops, experts: [experts]).best.computeAdvantage)
        }
        #expect(try saved(1e20, 1) == 1)
        expect(try saved(1e20, 32), 1 / (1 - 0.655), within: 0.01)
        for flops in [1e19, 1e21] {
            #expect(try saved(flops, 32) > saved(flops, 8))
            #expect(try saved(flops, 8) > saved(flops, 2))
            #expect(try saved(10 * flops, 8) > saved(flops, 8))
        }
    }

    /// Counting what the model will serve makes the best model smaller and its training longer.
    @Test func servingMakesTheBestModelSmaller() throws {
        let training = try PlanTests.joint(flops: 1e22, experts: [8]).best.optimum
        let serving = try PlanTests.joint(flops: 1e22, experts: [8]) { $0.inferenceTokens = 5e11 }.best.optimum
        #expect(serving.activeParameters < 0.8 * training.activeParameters)
        #expect(serving.tokens / serving.activeParameters > training.tokens / training.activeParameters)
        let spent = serving.trainingFLOPs + 5e11 * serving.inferenceFLOPsPerToken
        expect(spent, 1e22, within: 1e-9)
    }

    /// Yun et al. 2024: a smaller model of more experts, trained longer, gives the dense optimum's loss and costs less to
    /// serve.
    @Test func aSmallerModelOfMoreExpertsServesTheSameLossForLess() throws {
        let plan = try PlanTests.joint(flops: 1e21)
        let dense = try #require(plan.entries.first { $0.experts == 1 }).optimum
        for entry in plan.entries where entry.experts > 1 {
            let small = try #require(entry.overTrained), cost = try #require(entry.servingCost)
            #expect(small.loss <= dense.loss + 1e-6)
            #expect(small.activeParameters < entry.optimum.activeParameters)
            expect(cost, small.inferenceFLOPsPerToken / dense.inferenceFLOPsPerToken, within: 1e-5)
            #expect(cost < 1)
            #expect(small.tokens / small.activeParameters <= 400.001)
        }
    }

    /// Abnar et al. 2025: at fixed compute the optimal total rises and the optimal active count falls with sparsity.
    @Test func sparserModelsAreLargerAndLighter() throws {
        var request = PlanRequest.budget(1e21, experts: [1, 2, 4, 8, 16, 32, 64])
        request.topKs = [1]
        let entries = try Plan(request, by: .published("sparsity")).entries.sorted { $0.experts < $1.experts }
        for (few, many) in zip(entries, entries.dropFirst()) {
            #expect(many.optimum.totalParameters > few.optimum.totalParameters)
            #expect(many.optimum.activeParameters < few.optimum.activeParameters)
        }
    }

    /// Krajewski et al. 2024: finer experts pay off with larger budgets, and MoE beats dense at every one.
    @Test func finerExpertsPayOffAtLargerBudgets() throws {
        let best = try [1e18, 1e20, 1e22, 1e24].map { flops in
            var request = PlanRequest.budget(flops, experts: [64])
            request.granularities = [1, 2, 4, 8, 16, 32, 64, 128]
            let entry = try Plan(request, by: .published("fine-grained")).best
            #expect(try #require(entry.computeAdvantage) > 10)
            return entry.granularity
        }
        #expect(best == best.sorted() && best[0] < best[3])
    }

    /// Zhao et al. 2025: about 7 active experts and a third of them shared at every size; larger models are sparser. Each best
    /// choice is searched on a grid of losses.
    @Test(arguments: [(30e9, 0.401), (671e9, 0.220)])
    func bestActiveExpertsSharedRatioAndSparsity(total: Double, ratio: Double) {
        func loss(_ active: Double, _ g: Double, _ s: Double) -> Double {
            ComprehensiveLaw.published.loss(
                at: ScalePoint(
                    active: active * total, total: total, tokens: 1e12, experts: g, topK: g, sharedRatio: s))
        }
        func best(_ choices: [Double], _ loss: (Double) -> Double) -> Double {
            choices.min { loss($0) < loss($1) } ?? .nan
        }
        let g = best((100...2000).map { Double($0) / 100 }) { loss(0.1, $0, 0) }
        let s = best((0...999).map { Double($0) / 1000 }) { loss(0.1, 7, $0) }
        #expect(abs(g - 6.78) < 0.011)
        #expect(abs(s - 0.315) < 0.0011)
        let active = best((1...10_000).map { Double($0) / 10_000 }) { loss($0, g, s) }
        expect(active, ratio, within: 0.003)
        expect(ComprehensiveLaw.published.optimalActiveExperts, g, within: 0.001)
        expect(ComprehensiveLaw.published.optimalSharedRatio, s, within: 0.002)
        expect(ComprehensiveLaw.published.optimalActiveRatio(total: total), active, within: 3e-4)
    }

    /// The comprehensive law was fitted to mixtures alone: no dense model is planned or compared with by it.
    @Test func theComprehensiveLawPlansNoDenseModel() throws {
        var request = PlanRequest.budget(1e21, experts: [8, 32])
        request.granularities = [1, 8]
        let plan = try Plan(request, by: .published("comprehensive"))
        #expect(plan.best.experts == 32 && plan.best.granularity == 8)
        #expect(plan.entries.count == 4 && plan.entries.allSatisfy { $0.computeAdvantage == nil })
        #expect { try Plan(PlanRequest.budget(1e21, experts: [1]), by: .published("comprehensive")) } throws: {
            "\($0)".contains("says nothing of dense models")
        }
    }
}
