import Configuration
import Diagnostics
import Testing

/// What programs write, they read.
@Suite struct WrittenConfigurationTests {
    private static let awkward = "a \"b\": #c\\ \u{1B}[31m\n'd'"

    private func written(layers: Int = 2) -> WrittenConfiguration {
        var written = WrittenConfiguration(heading: ["For a test."])
        written.add("", ["seed": 7, "reproducible": true])
        written.add(
            "model",
            [
                "d_model": 32, "layers": .integer(layers), "heads": 2, "context": 32, "experts": .word("[8, 4]"),
                "norm": .word("layer"), "norm_epsilon": 1e-8, "rope_base": 1e6,
            ], comments: ["norm": "Of the study."])
        written.add("batch", ["tokens": 256, "micro_batch_tokens": 64])
        written.add("train", ["steps": 8])
        written.add("data", ["train": .text(Self.awkward)])
        return written
    }

    @Test func itReadsBack() throws {
        let found = try written().read(as: "written")
        #expect(
            found.seed == 7 && found.reproducible && found.model.norm == .layer && found.model.vocabularySize == nil)
        #expect(
            found.model.normEpsilon == 1e-8 && found.model.rotary.base == 1e6 && found.model.expertCounts == [8, 4])
        #expect(found.data.train == [DataSource(paths: [Self.awkward])])
    }

    /// Of YAML 1.1, `1e-08` is a text.
    @Test func itIsYAMLWithComments() {
        let lines = written().yaml.split(separator: "\n")
        #expect(lines.starts(with: ["# For a test.", "seed: 7", "reproducible: true", "model:", "  d_model: 32"]))
        #expect(lines.contains("  norm_epsilon: 1.0e-08") && lines.contains("  rope_base: 1000000.0"))
        #expect(lines.firstIndex(of: "  # Of the study.")! + 1 == lines.firstIndex(of: "  norm: layer"))
    }

    @Test func whatCannotBeTrainedIsRefusedByName() {
        let failure = #expect(throws: Failure.self) { try written(layers: 0).read(as: "the plan") }
        #expect(failure?.message.hasPrefix("the plan") == true && failure?.message.contains("`model.layers`") == true)
    }
}
