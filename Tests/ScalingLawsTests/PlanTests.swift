import Diagnostics
import ScalingLaws
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
        let byN = JointLaw.published.sizeGradient(at: point(best, row.experts))
        // |μ|·m·N^μ = |ν|·n·D^ν
        expect(byN.perLogN, byN.perLogD, within: 1e-5)
        expect(best.trainingFLOPs, row.flops, within: 1e-12)
    }

    private func point(_ sizing: Sizing, _ experts: Double) -> ScalePoint {
        ScalePoint(
            active: sizing.activeParameters, total: sizing.totalParameters, tokens: sizing.tokens, experts: experts)
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
}
