import Configuration
import Diagnostics
import Testing

@Suite("Batch sizes") struct BatchConfigurationTests {
    private func batch(_ lines: String, context: Int = 32) throws -> BatchConfiguration {
        let document = try document("batch: {\(lines)}\ntrain: {tokens: 100_000}")
        return try BatchConfiguration(
            reading: document.section("batch"), context: context, in: document.section("train"))
    }

    private static let ramp = "ramp: [{tokens: 64, until: 200}, {tokens: 192, until: 900}], tokens: 256"

    /// The steps one by one: the size of each depends on the tokens before it alone.
    private func walk(_ batch: BatchConfiguration, from seen: Int, to goal: Int, atMost most: Int) -> [Int] {
        var tokens = seen, sizes: [Int] = []
        while tokens < goal, sizes.count < most {
            let size = tokens < 200 ? 64 : tokens < 900 ? 192 : 256
            sizes.append(size)
            tokens += size
        }
        return sizes
    }

    @Test("a step's size follows from the tokens before it") func sizes() throws {
        let batch = try batch(Self.ramp)
        #expect(batch.microBatchTokens == 64 && batch.largestStep == batch.step(of: 256))
        for (seen, tokens) in [(0, 64), (199, 64), (200, 192), (899, 192), (900, 256), (1 << 60, 256)] {
            #expect(batch.step(after: seen) == batch.step(of: tokens), "\(seen)")
        }
    }

    @Test("steps to come, counted and walked", arguments: [0, 1, 150, 199, 200, 201, 640, 899, 900, 5000])
    func steps(seen: Int) throws {
        let batch = try batch(Self.ramp)
        for goal in [0, 1, 64, 200, 256, 901, 3000] {
            for most in [0, 1, 3, 5, 1000] {
                let walked = walk(batch, from: seen, to: goal, atMost: most)
                let counted = batch.steps(from: seen, to: goal, atMost: most)
                #expect(counted.flatMap { Array(repeating: $0.batch.tokens, count: $0.count) } == walked)
                #expect(counted.steps == walked.count && counted.tokens == walked.reduce(0, +))
            }
        }
    }

    @Test("reads back from the resolved configuration") func readsBack() throws {
        let document = try document("batch: {\(Self.ramp)}")
        let first = try BatchConfiguration(
            reading: document.section("batch"), context: 32, in: document.section("train"))
        let resolved = document.resolved
        #expect(resolved.contains("ramp: [{tokens: 64, until: 200}, {tokens: 192, until: 900}]"))
        let again = try ConfigurationDocument(yaml: resolved, file: "resolved")
        let second = try BatchConfiguration(
            reading: again.section("batch"), context: 32, in: again.section("train"))
        #expect(second == first)
    }

    @Test(
        "refuses what cannot be meant",
        arguments: [
            ("ramp: [{tokens: 64, until: 900}, {tokens: 128, until: 900}]", "until 900 tokens after one until 900"),
            (
                "ramp: [{tokens: 48, until: 900}]",
                "`batch.ramp` has steps of 48 tokens, not a whole number of sequences"
            ),
            (
                "ramp: [{tokens: 96, until: 9}], micro_batch_tokens: 64",
                "steps of 96 tokens, not a whole number of micro-"
            ),
            ("ramp: [{tokens: 64, util: 9}]", "`batch.ramp[0].until` is missing"),
            ("ramp: [{tokens: 64, until: 9, for: 1}]", "`batch.ramp[0].for` is unknown; known are tokens, until"),
            ("ramp: [64]", "`batch.ramp` must be a list of blocks, but its entry 1 is none"),
            ("ramp: 64", "`batch.ramp` must be a list, but is `64`"),
            ("ramp: [{tokens: 0, until: 9}]", "`batch.ramp[0].tokens` is 0; allowed are 1 to"),
        ])
    func refuses(lines: String, message: String) {
        let refused = failure { _ = try batch(lines + ", tokens: 256") }
        #expect(refused?.status == .configuration && refused?.message.contains(message) == true, "\(refused as Any)")
    }
}
