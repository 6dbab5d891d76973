import Configuration
import Diagnostics
import Foundation
import Planning
import Testing

@Suite struct PlanTests {
    static func joint(
        flops: Double?, experts: [Double] = [1, 2, 4, 8, 16, 32], _ change: (inout PlanRequest) -> Void = { _ in }
    ) throws -> Plan {
        var request = PlanRequest(experts: experts)
        request.flops = flops
        change(&request)
        return try Plan(request, by: .published("joint"))
    }

    /// Ludziejewski et al. 2025, Table 1.
    @Test(arguments: PublishedTables.joint)
    func jointOptimaAreTable1(row: PublishedTables.JointRow) throws {
        let best = try Self.joint(flops: row.flops, experts: [row.experts]).best.optimum
        expect(best.tokens, row.tokens, within: 0.015)
        expect(best.activeParameters, row.active, within: 0.03)
        expect(best.trainingFLOPs, row.flops, within: 1e-12)
        // |μ|·m·N^μ = |ν|·n·D^ν
        let slopes = JointLaw.published.sizeGradient(
            at: ScalePoint(
                active: best.activeParameters, total: best.totalParameters, tokens: best.tokens, experts: row.experts))
        expect(slopes.perLogN, slopes.perLogD, within: 1e-5)
    }

    /// Krajewski et al. 2024, table of compute-optimal models, E = 64.
    @Test(arguments: PublishedTables.fineGrained)
    func fineGrainedOptimaAreThePapers(row: PublishedTables.FineGrainedRow) throws {
        var request = PlanRequest(experts: [64])
        request.granularities = [1, 2, 4, 8, 16, 32, 64, 128]
        request.flops = row.flops
        let plan = try Plan(request, by: .published("fine-grained"))
        let best = try #require(plan.entries.min { $0.optimum.loss < $1.optimum.loss })
        #expect(best.granularity == row.granularity)
        expect(best.optimum.tokens, row.tokens, within: 0.025)
        let shape = Architecture(dModel: row.dModel, experts: 64, granularity: row.granularity)
        expect(Counting.fineGrained.activeBody(shape), row.dense, within: 1e-9)
        expect(Counting.fineGrained.trainingFLOPsPerToken(shape) * row.tokens, row.flops, within: 0.005)
    }

    /// The scan and golden sections against a fine grid of models, with every limit at work.
    @Test(arguments: [nil, 24.0, 3.0], [0.0, 1e12])
    func theOptimumIsTheBestOfAFineGrid(gigabytes: Double?, served: Double) throws {
        let plan = try Self.joint(flops: 1e22, experts: [8]) {
            $0.inferenceTokens = served
            $0.memory = gigabytes.map { .init(bytes: $0 * 1e9, cachedTokens: 16384) }
            $0.maximumTokensPerParameter = 300
        }
        let grid = stride(from: 64.0, to: 9000, by: 0.5).compactMap { d -> Double? in
            let shape = Architecture(dModel: d, experts: 8), point = Counting.decoder.point(shape, tokens: 1)
            let memory = 2 * (point.total + 2 * 16384 * d / 64 * d)
            let tokens = min((1e22 - 2 * point.active * served) / (6 * point.active), 300 * point.active)
            guard memory <= (gigabytes ?? .infinity) * 1e9, tokens > 0 else { return nil }
            return JointLaw.published.loss(at: Counting.decoder.point(shape, tokens: tokens))
        }
        let best = plan.best.optimum.loss
        #expect(best <= grid.min()! + 1e-12)
        #expect(best >= grid.min()! - 1e-4)
    }

    @Test func theModelToTrainIsRealAndRoundingCostsLittle() throws {
        for flops in [1e18, 1e20, 1e22] {
            for entry in try Self.joint(flops: flops).entries {
                let model = entry.buildable
                #expect(model.dModel == 64 * model.layers && model.layers == model.layers.rounded())
                #expect(entry.roundingCost >= 0 && entry.roundingCost < 0.02)
                expect(6 * model.activeParameters * model.tokens, flops, within: 1e-12)
            }
        }
    }

    /// A tenth of the loss's interval is known: 1.2816 times 0.0062 on either side.
    @Test func predictionsCarryThePublishedError() throws {
        let best = try Self.joint(flops: 1e20).best, interval = try #require(best.interval)
        expect(interval.upperBound - interval.lowerBound, 2 * 1.2816 * 0.0062, within: 1e-9)
        #expect(interval.contains(best.buildable.loss))
        let other = try Plan(PlanRequest.budget(1e20, experts: [1]), by: .published("chinchilla"))
        #expect(other.best.interval == nil)
    }

    @Test func extrapolationIsSaid() throws {
        let inside = try Self.joint(flops: 1e20), outside = try Self.joint(flops: 1e22, experts: [1, 64])
        #expect(inside.best.warnings.isEmpty)
        #expect(outside.best.warnings.contains { $0.contains("E = 64") })
        #expect(outside.best.warnings.contains { $0.contains("largest model behind the law (2.7B)") })
        let long = try Self.joint(flops: 1e22, experts: [1]) { $0.maximumTotal = 1e9 }
        #expect(long.best.warnings.contains { $0.contains("not trusted beyond 400") })
        #expect(long.best.limits.contains("total parameters"))
    }

    @Test func aPlanTakesUnderATenthOfASecond() throws {
        _ = try Self.joint(flops: 1e20)
        let fastest = try (0..<5).map { _ in
            let start = processorTime()
            _ = try Self.joint(flops: 1e21) { $0.memory = .init(bytes: 80e9) }
            return processorTime() - start
        }.min()!
        #expect(fastest < .milliseconds(100), "\(fastest)")
    }

    @Test func theBatchRampFollowsTheTokens() {
        #expect(batchRamp(tokens: 1e8).map(\.tokens) == [65_536])
        #expect(batchRamp(tokens: 0.8e9).map(\.tokens) == [65_536, 131_072])
        #expect(batchRamp(tokens: 1e12).map(\.tokens) == [65_536, 131_072, 262_144])
    }

    @Test func theConfigurationSaysWhatThePlanSays() throws {
        let plan = try Self.joint(flops: 1e19, experts: [8])
        let yaml = try plan.runConfiguration(
            plan.best, in: RunPaths(directory: "runs/a \"b\"", train: "text", tokenizer: "auto")
        ).yaml
        let model = plan.best.buildable
        for line in [
            "  d_model: \(Int(model.dModel))", "  layers: \(Int(model.layers))", "  heads: \(Int(model.layers))",
            "  experts: 8", "  granularity: 1", "  feed_forward: 3.0", "  tokens: 262144", "  kind: wsd",
            "  directory: \"runs/a \\\"b\\\"\"",
        ] {
            #expect(yaml.split(separator: "\n").contains { $0 == line }, "\(line)")
        }
        // It is YAML of sections and numbers, as the trainer reads it.
        let document = try ConfigurationDocument(yaml: yaml, file: "planned.yaml")
        #expect(try document.section("model").integer("d_model") == Int(model.dModel))
        #expect(try document.section("data").text("validation") == "tail 0.01")
        expect(try document.section("optimizer").number("learning_rate"), plan.best.learningRate, within: 0.01)
        #expect(
            yaml.contains("  ramp: [{tokens: 65536, until: 500000000}, {tokens: 131072, until: 1000000000}]\n"))
        let tokens = try #require(yaml.firstMatch(of: /train:\n  tokens: (\d+)/).flatMap { Double($0.1) })
        expect(tokens, model.tokens, within: 1e-4)
    }

    /// Fine-grained experts are 8·d² in all and must be whole.
    @Test func fineGrainedFeedForwardsAreWhole() throws {
        var request = PlanRequest.budget(3e18, experts: [64])
        request.granularities = [8]
        let plan = try Plan(request, by: .published("fine-grained"))
        let yaml = try plan.runConfiguration(plan.best, in: RunPaths(directory: "r", train: "t", tokenizer: "auto"))
            .yaml
        let ratio = try #require(yaml.firstMatch(of: /feed_forward: ([\d.]+)/).flatMap { Double($0.1) })
        let hidden = ratio * plan.best.buildable.dModel / 8
        #expect(abs(hidden - hidden.rounded()) < 1e-6)
        expect(ratio, 8.0 / 3, within: 0.01)
    }

    @Test func everyPublishedTableIsComparedAndClose() {
        let tables = Comparison.all()
        // Further laws add further tables.
        let known = [
            "Joint law, c", "Joint law for", "Fine-grained", "Parameter counts", "Peak learning", "Efficiency",
        ]
        for title in known { #expect(tables.count { $0.title.hasPrefix(title) } == 1, "\(title)") }
        for line in tables.flatMap(\.lines) { #expect(abs(line.deviation) < 0.04, "\(line)") }
        #expect(tables[0].lines.count == 24)
        #expect(tables[0].text.contains("deviation"))
    }
}

extension PlanRequest {
    static func budget(_ flops: Double, experts: [Double]) -> PlanRequest {
        var request = PlanRequest(experts: experts)
        request.flops = flops
        return request
    }
}
