import Benchmarking
import Collectives
import Configuration
import Model
import Parallelism
import RunFormat
import Testing
import Threading
import Training

struct StepBenchmarkTests {
    private func configuration(_ changes: [String] = []) throws -> RunConfiguration {
        let yaml = """
            data: {train: nowhere.txt}
            model: {d_model: 32, layers: 2, heads: 2, context: 32, experts: 4, top_k: 2, vocabulary_size: 300}
            batch: {tokens: 256, micro_batch_tokens: 64}
            train: {steps: 8}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "bench", overrides: changes))
    }

    private func measure(_ routing: StepBenchmark.Routing, ranks: Int) throws -> [StepBenchmark] {
        let configuration = try configuration()
        return try VirtualRanks.run(ranks) { world in
            var options = StepBenchmark.Options()
            (options.routing, options.steps, options.warmUp) = (routing, 3, 1)
            return try StepBenchmark(configuration, options, on: world)
        }
    }

    /// Whatever the router says, every expert gets its share: nothing is dropped even at a capacity factor of 1.
    @Test(arguments: [1, 2]) func uniformRoutingIsEven(ranks: Int) throws {
        for figures in try measure(.uniform, ranks: ranks) {
            #expect(figures.loadImbalance == 1)
            #expect(figures.rankImbalance == 1)
            #expect(figures.droppedRatio == 0)
        }
    }

    @Test func realRoutingIsTheRouters() throws {
        #expect(try measure(.real, ranks: 1)[0].loadImbalance > 1)
    }

    /// One rank has all rows; two share them unevenly, both in the same way, never worse than their experts.
    @Test func ranksHaveAnImbalanceOfTheirOwn() throws {
        #expect(try measure(.real, ranks: 1)[0].rankImbalance == 1)
        let both = try measure(.real, ranks: 2)
        #expect(both[0].rankImbalance == both[1].rankImbalance)
        #expect(both[0].rankImbalance > 1 && both[0].rankImbalance <= both[0].loadImbalance)
    }

    /// The busiest rank is looked for in every exchange of a group, and the slowest group counts.
    @Test func imbalanceOfRanks() {
        #expect(rankImbalance([[3, 1], [1, 3]], expertParallelSize: 2) == 1.5)
        #expect(rankImbalance([[3, 1], [1, 3]], expertParallelSize: 1) == 1)
        #expect(rankImbalance([[2], [2], [3], [5]], expertParallelSize: 2) == 5.0 / 3)
        #expect(rankImbalance([[0, 0], [0, 0]], expertParallelSize: 2) == 1)
    }

    /// The spans account for the whole step on every rank, and both ranks say the same.
    @Test func partsAddUpToTheStep() throws {
        let all = try measure(.real, ranks: 2)
        for figures in all {
            #expect(figures.stepSeconds.count == 3 && figures.ranks == 2 && figures.expertParallel == 2)
            let parts = figures.breakdown.reduce(0) { $0 + $1.seconds.highest }
            #expect(parts >= 0.5 * figures.stepSeconds.lowest)
            #expect(figures.breakdown.reduce(0) { $0 + $1.seconds.lowest } <= figures.stepSeconds.highest)
            #expect(figures.tokensPerSecond == 256 / figures.stepSeconds.median)
        }
        #expect(all[0].stepSeconds == all[1].stepSeconds)
    }

    @Test func productsBelongToThePassTheyAreIn() {
        let spans = [
            TraceInterval(.step, depth: 0, start: 0, duration: 100),
            TraceInterval(.forward, depth: 1, start: 0, duration: 40),
            TraceInterval(.products, depth: 2, start: 0, duration: 10),
            TraceInterval(.exchange, depth: 2, start: 20, duration: 5),
            TraceInterval(.loss, depth: 1, start: 40, duration: 20),
            TraceInterval(.products, depth: 2, start: 45, duration: 10),
            TraceInterval(.backward, depth: 1, start: 60, duration: 30),
            TraceInterval(.products, depth: 2, start: 60, duration: 12),
        ]
        var times = CommunicationTimes()
        times.exchange = 4e-9
        let second = [
            TraceInterval(.microBatch, depth: 0, start: 0, duration: 9),
            TraceInterval(.turnWait, depth: 1, start: 0, duration: 7),
        ]
        let breakdown = Breakdown([spans, second], times)
        func nanoseconds(_ part: Breakdown.Part) -> Int { Int((breakdown[part] * 1e9).rounded()) }
        #expect(nanoseconds(.forwardProducts) == 10)
        #expect(nanoseconds(.backwardProducts) == 12)
        #expect(nanoseconds(.lossAndHead) == 20)
        #expect(nanoseconds(.exchange) == 4)
        #expect(nanoseconds(.otherKernels) == 25 + 18)
        #expect(nanoseconds(.rest) == 10 + 2)
        #expect(nanoseconds(.waiting) == 0)
    }
}
