import Configuration
import Foundation
import Planning
import Testing

@Suite struct LawTests {
    static let samples = [
        ScalePoint(active: 3.1e8, total: 5e9, embedding: 1e8, tokens: 7e9, experts: 32, granularity: 2),
        ScalePoint(active: 7e7, total: 7e7, embedding: 5e7, tokens: 1e9),
        ScalePoint(active: 2e9, total: 9e9, embedding: 2e8, tokens: 80e9, experts: 8, granularity: 4, topK: 6),
        ScalePoint(
            active: 5e8, total: 3e9, embedding: 1e8, tokens: 20e9, experts: 16, granularity: 4, topK: 2,
            sharedRatio: 0.25),
    ]
    static let inference = InferenceLaw(parameters: [120, 0.2, 0.9, 0.6, 300, 0.25, 1.4, 0.001, 1.5, 200])
    /// All laws of the catalog, with published coefficients and with those of simulated runs.
    static let laws: [any ScalingLaw] =
        LawCatalog.published.map { $0.law } + SimulatedStudy.laws.map { $0.law } + [EfficiencyLeverage.published]

    @Test("every law of the catalog has coefficients to be tested with", arguments: LawCatalog.forms.indices)
    func catalogIsCovered(form index: Int) {
        let metadata = LawCatalog.forms[index].metadata
        #expect(Self.laws.contains { $0.name == metadata.name }, "\(metadata.name)")
        for coefficients in metadata.published.map(\.parameters) + [metadata.simulation?.parameters].compactMap(\.self)
        {
            #expect(coefficients.count == metadata.parameters.count, "\(metadata.name)")
        }
        #expect(LawCatalog.forms.count { $0.metadata.name == metadata.name } == 1, "\(metadata.name)")
    }

    /// Every formula once more, written out.
    @Test(arguments: samples) func lossIsThePapersFormula(x: ScalePoint) {
        let effective = { (start: Double, top: Double) in
            1 / (1 / (x.experts - 1 + 1 / (1 / start - 1 / top)) + 1 / top)
        }
        let e = effective(2.0732, 290.4521), n = x.active, d = x.tokens
        let joint =
            35.91 * pow(e, -0.2285) * pow(n, -0.1889 + 0.0098 * log(e))
            + 35.98 * pow(e, 0.5529) * pow(d, -0.1775 - 0.0259 * log(e)) + 1.3637
        expect(JointLaw.published.loss(at: x), joint, within: 1e-12)
        let body = x.total - x.embedding
        let fine = 0.47 + (2.1 / pow(x.granularity, 0.58) + 18.1) / pow(body, 0.115) + 30.8 / pow(d, 0.147)
        expect(FineGrainedLaw.published.loss(at: x), fine, within: 1e-12)
        let rest = 1 - (x.experts - x.topK) / x.experts
        let sparse =
            16612.5 / pow(x.total, 0.5962) + 5455.67 / pow(d, 0.3954) + 0.4598 / pow(rest, -0.1666)
            + 17.26 / (pow(rest, 0.1603) * pow(x.total, 0.1595)) + 0.94
        expect(SparsityLaw.published.loss(at: x), sparse, within: 1e-12)
        expect(ChinchillaLaw.published.loss(at: x), 1.69 + 406.4 / pow(n, 0.34) + 410.7 / pow(d, 0.28), within: 1e-12)
        let routedE = effective(1.847, 314.478)
        let power = -0.082 * log10(n) - 0.108 * log10(routedE) + 0.009 * log10(n) * log10(routedE) + 1.104
        expect(RoutedLaw.published.loss(at: x), pow(10, power), within: 1e-12)
        let yunE = effective(1.5, 200)
        let yun =
            (120 / pow(n, 0.2) + 0.9 / pow(yunE, 0.6) + 300 / pow(d, 0.25) + 1.4) * exp(0.001 * log(n) * log(yunE))
        expect(Self.inference.loss(at: x), yun, within: 1e-12)
        let (g, s) = (x.topK * x.granularity, x.sharedRatio)
        let zhao =
            (0.1577 * g + 7.2446 / g + 5.1395 * s * s - 3.2363 * s)
            * (pow(x.total, -0.2383) + 0.0013 * pow(n, -0.2383) + 0.045 * n / x.total)
            + 38.051 * pow(x.total, -0.2383) + 27129.05 * pow(d, -0.4694) + 31.096 * pow(n, -0.2383) + 1.8182
        expect(ComprehensiveLaw.published.loss(at: x), zhao, within: 1e-12)
    }

    @Test(arguments: laws.indices) func gradientByCoordinateIsTheSlope(law index: Int) {
        func check<Law: ScalingLaw>(_ law: Law) {
            for x in Self.samples {
                let gradient = law.gradient(at: x), theta = law.coordinates
                for j in theta.indices {
                    let step = 1e-5 * max(1, abs(theta[j]))
                    var (up, down) = (theta, theta)
                    up[j] += step
                    down[j] -= step
                    let slope = (Law(coordinates: up).loss(at: x) - Law(coordinates: down).loss(at: x)) / (2 * step)
                    #expect(abs(slope - gradient[j]) < 1e-6 * max(1, abs(slope)), "\(law.name) \(j)")
                }
            }
        }
        check(Self.laws[index])
    }

    @Test(arguments: laws.indices) func gradientBySizeIsTheSlope(law index: Int) {
        let law = Self.laws[index], h = 1e-5
        for x in Self.samples {
            func at(n: Double, d: Double) -> Double {
                // scale body and embedding alike, so that every way of counting sees the factor
                law.loss(
                    at: ScalePoint(
                        active: x.active * exp(n), total: x.total * exp(n), embedding: x.embedding * exp(n),
                        tokens: x.tokens * exp(d), experts: x.experts, granularity: x.granularity, topK: x.topK,
                        sharedRatio: x.sharedRatio))
            }
            let (byN, byD) = law.sizeGradient(at: x)
            #expect(abs((at(n: h, d: 0) - at(n: -h, d: 0)) / (2 * h) - byN) < 1e-8)
            #expect(abs((at(n: 0, d: h) - at(n: 0, d: -h)) / (2 * h) - byD) < 1e-8)
        }
    }

    @Test(arguments: laws.indices) func coordinatesAndParametersAreInverse(law index: Int) {
        func check<Law: ScalingLaw>(_ law: Law) {
            for (a, b) in zip(Law(coordinates: law.coordinates).parameters, law.parameters) {
                expect(a, b, within: 1e-12)
            }
        }
        check(Self.laws[index])
    }

    @Test(arguments: [
        (1.0, 30.3640, -0.1817, 53.9838, -0.1965), (8.0, 21.8330, -0.1676, 119.9126, -0.2338),
        (32.0, 16.5424, -0.1557, 234.6726, -0.2652),
    ])
    func jointLawForOneNumberOfExpertsIsTable4(e: Double, m: Double, mu: Double, n: Double, nu: Double) {
        let form = JointLaw.published.chinchillaForm(experts: e)
        expect(form.m, m, within: 0.003)
        expect(form.n, n, within: 0.003)
        #expect(abs(form.mu - mu) < 2e-4)
        #expect(abs(form.nu - nu) < 2e-4)
    }

    @Test func saturationStartsAndEndsWhereItsNamesSay() {
        let saturation = ExpertSaturation(start: 2.0732, maximum: 290.4521)
        expect(saturation.effective(1), 2.0732, within: 1e-12)
        expect(saturation.effective(1e15), 290.4521, within: 1e-9)
        #expect(saturation.effective(8) > saturation.effective(4))
    }

    @Test func parametersAreCountedAsInThePaper() {
        let wide = Architecture(dModel: 1024, experts: 32), tall = Architecture(dModel: 1792, experts: 4)
        let first = Counting.decoder.point(wide, tokens: 1), second = Counting.decoder.point(tall, tokens: 1)
        #expect(wide.blocks == 16 && tall.blocks == 28)
        #expect(first.active == 2 * 1024 * 50257 + 13 * 16 * 1024 * 1024)
        expect(first.total, 5.0e9, within: 0.02)
        expect(first.active, 321e6, within: 0.002)
        expect(second.total, 3.8e9, within: 0.01)
        expect(second.active, 1.3e9, within: 0.04)  // 1.349B, printed with two digits
    }

    @Test func learningRateRuleGivesTheRatesTheAuthorsSearched() {
        let small = Counting.decoder.point(Architecture(dModel: 256, experts: 1), tokens: 1)
        let large = Counting.decoder.point(Architecture(dModel: 1024, experts: 8), tokens: 1)
        expect(peakLearningRate(active: small.active, experts: 1), 3.8e-3, within: 0.02)
        expect(peakLearningRate(active: large.active, experts: 8), 3.2e-4, within: 0.02)
    }

    @Test func stepLawIsThePapersExample() throws {
        let rate = StepLaw.learningRate(parameters: 3.2e8, tokens: 1.6e10)
        // exp(ln 1.79 − 0.713·ln N + 0.307·ln D), with the logarithms taken to twelve digits elsewhere
        expect(rate, exp(0.582215619853 - 0.713 * 19.583831553758 + 0.307 * 23.495854559186), within: 1e-9)
        expect(rate, 2.1e-3, within: 0.03)
        expect(StepLaw.batchTokens(tokens: 1.6e10), 389e3, within: 2e-3)
        expect(StepLaw.learningRate(parameters: 6.4e8, tokens: 1.6e10) / rate, pow(2, -0.713), within: 1e-12)
        expect(StepLaw.learningRate(parameters: 3.2e8, tokens: 3.2e10) / rate, pow(2, 0.307), within: 1e-12)
        expect(StepLaw.batchTokens(tokens: 3.2e10) / StepLaw.batchTokens(tokens: 1.6e10), pow(2, 0.571), within: 1e-12)
    }

    @Test func aPlanShowsStepLawWithoutEmbeddingAndHead() throws {
        let plan = try PlanTests.joint(flops: 1e20, experts: [1, 8])
        for record in plan.records {
            let d = record.buildable.dModel, blocks = record.buildable.layers
            let rate = { (perBlock: Double) in
                1.79 * pow(perBlock * d * d * blocks, -0.713) * pow(record.buildable.tokens, 0.307)
            }
            expect(record.stepLaw.learningRate, rate(4 + 9 * Double(record.experts)), within: 1e-12)
            expect(record.stepLaw.activeLearningRate, rate(13), within: 1e-12)
            expect(record.stepLaw.batchTokens, 0.58 * pow(record.buildable.tokens, 0.571), within: 1e-12)
        }
        #expect(plan.text.contains("for the active ones, and steps of"))
        let json = String(decoding: try JSONEncoder().encode(plan.records), as: UTF8.self)
        for key in ["step_law", "learning_rate_by_active_parameters", "batch_tokens"] {
            #expect(json.contains("\"\(key)\""))
        }
    }

    @Test func leverageIsThePapersExample() {
        let law = EfficiencyLeverage.published
        expect(law.leverage(activation: 0.031, granularity: 12, flops: 1e22), 7.2, within: 0.01)
        let shares = EfficiencyLeverage(parameters: [1.23, -7.61e-2, 1.67e-2, -1.17e-1, 1.63e-2, 40])
        let offset = 1 / (1 / 1.63e-2 - 1.0 / 40)
        let effective = 1 / (1 / (0.25 + offset) + 1.0 / 40)
        let power = 1.23 - 7.61e-2 * 20 + 1.67e-2 * 9 - 1.17e-1 * 3
        expect(shares.leverage(activation: 0.25, granularity: 8, flops: 1e20), pow(effective, power), within: 1e-12)
    }

    @Test func aMisspeltLawIsRefusedWithItsName() {
        #expect { try LawCatalog.published(named: "chinchila") } throws: {
            "\($0)".contains("did you mean `chinchilla`")
        }
        #expect { try LawCatalog.published(named: "inference") } throws: { "\($0)".contains("never published") }
        #expect { try LawCatalog.form(named: "kaplan") } throws: { "\($0)".contains("joint, fine-grained") }
    }
}

/// `actual` within a share of `expected`.
func expect(
    _ actual: Double, _ expected: Double, within share: Double, _ comment: Comment? = nil,
    at location: SourceLocation = #_sourceLocation
) {
    let deviation = abs(actual / expected - 1)
    #expect(deviation <= share, "\(actual) is not \(expected) \(comment?.rawValue ?? "")", sourceLocation: location)
}
