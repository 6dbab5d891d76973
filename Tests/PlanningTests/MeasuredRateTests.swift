import Planning
import Testing

/// Granularities whose steps run at rates of their own: equal hours are then other FLOPs.
@Suite struct MeasuredRateTests {
    static func plan(flops: Double, _ rates: [Double: Double], granularities: [Double] = [1, 2, 4, 8, 16]) throws
        -> Plan
    {
        var request = PlanRequest.budget(flops, experts: [64])
        request.granularities = granularities
        request.relativeRates = rates
        return try Plan(request, by: .published("fine-grained"))
    }

    @Test func everyGranularityHasTheFLOPsOfItsRate() throws {
        let rates: [Double: Double] = [1: 1, 2: 0.9, 4: 0.8, 8: 0.5, 16: 0.2]
        let together = try Self.plan(flops: 1e20, rates)
        for (granularity, rate) in rates {
            let entry = try #require(together.entries.first { $0.granularity == granularity })
            let alone = try Self.plan(flops: 1e20 * rate, [:], granularities: [granularity]).best
            #expect(entry.optimum == alone.optimum && entry.buildable == alone.buildable)
        }
        #expect(together.entries.count == 5)
    }

    @Test func equalRatesChangeNothing() throws {
        let rated = try Self.plan(flops: 1e20, [1: 1, 2: 1, 4: 1, 8: 1, 16: 1]), bare = try Self.plan(flops: 1e20, [:])
        #expect(rated.entries.map(\.optimum) == bare.entries.map(\.optimum))
        #expect(rated.granularityAtEqualCompute == rated.best.granularity)
        #expect(bare.granularityAtEqualCompute == nil)
    }

    /// A loss of speed that outweighs the law's gain: the choice by hours is another than that by FLOPs.
    @Test func slowGranularitiesAreBestByFLOPsOnly() throws {
        let plan = try Self.plan(flops: 1e20, [1: 1, 2: 0.98, 4: 0.9, 8: 0.02, 16: 0.01])
        #expect(plan.best.granularity == 4)
        let other = try #require(plan.granularityAtEqualCompute)
        #expect(other == 16)
        #expect(plan.text.contains("the best in equal hours; in equal FLOPs G = 16"))
    }

    @Test(arguments: [0, -1, .infinity, .nan])
    func ratesThatAreNoRatesAreRefused(rate: Double) {
        #expect(throws: (any Error).self) { try Self.plan(flops: 1e20, [1: 1, 2: rate]) }
    }
}
