import Configuration
import Diagnostics
import Optimization
import Testing

@Suite struct ScheduleTests {
    private let total = 1000

    private func schedule(_ kind: ScheduleKind, warmup: Int = 100, decay: Double = 0.2, final: Double = 0)
        -> LearningRateSchedule
    {
        LearningRateSchedule(kind: kind, warmupTokens: warmup, decayShare: decay, finalShare: final)
    }

    private func expectShares(
        _ schedule: LearningRateSchedule, _ expected: [(tokens: Int, share: Double)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (tokens, share) in expected {
            let found = schedule.multiplier(after: tokens, of: total)
            #expect(
                abs(found - share) <= 1e-12, "after \(tokens): \(found), not \(share)", sourceLocation: sourceLocation)
        }
    }

    @Test func constant() {
        expectShares(schedule(.constant), [(1, 0.01), (50, 0.5), (99, 0.99), (100, 1), (101, 1), (1000, 1), (5000, 1)])
        expectShares(schedule(.constant, warmup: 0), [(0, 1), (1, 1), (1000, 1)])
    }

    @Test func cosine() {
        expectShares(
            schedule(.cosine, final: 0.1),
            [
                (1, 0.01), (50, 0.5), (100, 1), (325, 0.1 + 0.9 * (2 + 2.0.squareRoot()) / 4), (550, 0.55), (1000, 0.1),
                (2000, 0.1),
            ])
        expectShares(schedule(.cosine, warmup: 0), [(0, 1), (500, 0.5), (1000, 0)])
    }

    @Test func warmUpStableDecay() {
        expectShares(
            schedule(.wsd),
            [
                (1, 0.01), (100, 1), (101, 1), (799, 1), (800, 1), (801, 0.995), (900, 0.5), (999, 0.005), (1000, 0),
                (1001, 0),
            ])
        expectShares(schedule(.wsd, final: 0.1), [(800, 1), (900, 0.55), (1000, 0.1), (9000, 0.1)])
    }

    /// Without a decay phase there is nothing to come down in, so the rate stays; with nothing else it is a straight line.
    @Test func decayOverNothingAndOverAll() {
        expectShares(schedule(.wsd, decay: 0), [(100, 1), (999, 1), (1000, 1), (1001, 1)])
        expectShares(schedule(.wsd, warmup: 0, decay: 1), [(0, 1), (250, 0.75), (1000, 0)])
    }

    /// A warm-up as long as the run, and longer.
    @Test(arguments: ScheduleKind.allCases) func warmUpOverAll(kind: ScheduleKind) {
        for warmup in [1000, 4000] {
            for tokens in [1, 400, 799] {
                let share = schedule(kind, warmup: warmup, decay: 0.2, final: 0.5).multiplier(after: tokens, of: total)
                #expect(abs(share - Double(tokens) / Double(warmup)) <= 1e-12)
            }
        }
    }

    @Test(arguments: ScheduleKind.allCases) func staysBetweenNothingAndThePeakAndFallsAfterWarmUp(kind: ScheduleKind) {
        for (warmup, decay, final) in [(0, 0.2, 0.0), (100, 1, 0.3), (999, 0.01, 0), (1, 0, 1)] {
            let schedule = schedule(kind, warmup: warmup, decay: decay, final: final)
            let shares = (1...1200).map { schedule.multiplier(after: $0, of: total) }
            #expect(shares.allSatisfy { (0...1).contains($0) })
            let after = shares.dropFirst(max(warmup, 1) - 1)
            #expect(
                zip(after, after.dropFirst()).allSatisfy { $1 <= $0 + 1e-15 }, "rises after the warm-up of \(warmup)")
        }
    }

    @Test func readsItsSection() throws {
        func read(_ yaml: String) throws -> LearningRateSchedule {
            try LearningRateSchedule(
                reading: ConfigurationDocument(yaml: "schedule: \(yaml)", file: "run.yaml").section("schedule"))
        }
        #expect(try read("{}") == schedule(.wsd, warmup: 0, decay: 0.2, final: 0))
        #expect(try read("{kind: cosine, warmup_tokens: 7}") == schedule(.cosine, warmup: 7, decay: 0.2, final: 0.1))
        #expect(throws: Failure.self) { try read("{kind: linear}") }
        #expect(throws: Failure.self) { try read("{decay_share: 1.5}") }
    }
}
