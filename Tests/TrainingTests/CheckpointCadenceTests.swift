import Configuration
import Testing

struct CheckpointCadenceTests {
    private func settings(_ pairs: String) throws -> CheckpointConfiguration {
        let yaml = """
            run: {directory: r}
            data: {train: a.txt}
            model: {d_model: 32, layers: 1, heads: 2, context: 32}
            batch: {tokens: 256, micro_batch_tokens: 64}
            train: {steps: 8}
            checkpoint: {\(pairs)}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "cadence", overrides: [])).checkpoint
    }

    @Test(arguments: ["", "keep: 3", "every_steps: 0", "every_tokens: 0, overlap: true"])
    func aRunWithoutACadenceIsSavedEveryHalfHour(pairs: String) throws {
        #expect(try settings(pairs).everyMinutes == 30)
    }

    @Test(arguments: ["every_steps: 5", "every_tokens: 1000", "every_minutes: 0", "every_steps: 5, every_minutes: 0"])
    func aCadenceThatIsNamedIsTheOnlyOne(pairs: String) throws { #expect(try settings(pairs).everyMinutes == 0) }

    @Test func severalCadencesStandSideBySide() throws {
        let both = try settings("every_steps: 5, every_minutes: 2.5")
        #expect(both.everySteps == 5 && both.everyMinutes == 2.5)
    }
}
