import Benchmarking
import Testing

struct SampleTests {
    @Test func mediansOfOddAndEvenCounts() {
        #expect(Sample([3, 1, 2]).median == 2)
        #expect(Sample([4, 1, 2, 3]).median == 2.5)
        #expect(Sample([7]) == Sample([7, 7].dropLast()))
    }

    /// The slowest round has the lowest rate.
    @Test func ratesTurnTheSampleAround() {
        let rate = Sample([1, 2, 4]).rate(of: 8)
        #expect((rate.median, rate.lowest, rate.highest) == (4, 2, 8))
        #expect(rate.spread == 0.75)
    }

    @Test func everyRoundCallsTheBody() {
        var calls = 0
        #expect(secondsPerCall(repetitions: 3, filling: 0) { calls += 1 }.count == 3)
        #expect(calls == 5)
    }
}
