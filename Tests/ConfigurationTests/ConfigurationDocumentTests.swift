import Configuration
import Diagnostics
import Platform
import Testing

@Suite struct ConfigurationDocumentTests {
    private let yaml = """
        seed: 3
        model:
          d_model: 64   # a comment
          name: "a text"
        data:
          train: [a.txt, b.txt]
        """

    @Test func sectionsAndTheTopLevelAreRead() throws {
        let document = try document(yaml)
        #expect(try document.section("").integer("seed") == 3)
        #expect(try document.section("model").integer("d_model") == 64)
        #expect(try document.section("absent").integer("x", default: 5) == 5)
        #expect(try ConfigurationDocument(yaml: "", file: "empty.yaml").section("model").integer("x", default: 5) == 5)
        #expect(try ConfigurationDocument(yaml: "model:\n", file: "x").section("model").integer("x", default: 5) == 5)
    }

    @Test func overridesWin() throws {
        let document = try document(
            yaml, "model.d_model=128", "seed=4", "seed=5", "new.key=1e3", "data.train=[c, d]", "model.name=x=y",
            "model.empty=")
        #expect(try document.section("").integer("seed") == 5)
        let model = try document.section("model")
        #expect(try model.integer("d_model") == 128 && model.text("name") == "x=y" && model.text("empty") == "")
        #expect(try document.section("new").integer("key") == 1000)
        #expect(try document.section("data").texts("train") == ["c", "d"])
    }

    @Test("`<<` takes over the keys of other blocks, and the block's own count first") func mergeKeys() throws {
        let yaml = """
            model:
              <<: &small
                norm: layer
                d_model: 8
              d_model: 32
            data: {<<: [{x: 1, y: 2}, {y: 3, z: 4, <<: *small}], z: 5}
            """
        let read = try document(yaml, "data.y=7")
        let model = try read.section("model"), data = try read.section("data")
        #expect(try model.text("norm") == "layer" && model.integer("d_model") == 32)
        #expect(try data.integer("x") == 1 && data.integer("y") == 7 && data.integer("z") == 5)
        #expect(try data.text("norm") == "layer" && data.integer("d_model") == 8)
        #expect(
            failure { _ = try document("model:\n  <<: 3\n") }?.message.hasPrefix("run.yaml:2: `<<` must be") == true)
    }

    @Test(arguments: [
        ("9223372036854775808", 1 << 63), ("18446744073709551615", UInt64.max), ("1e3", 1000), ("1_0", 10),
    ])
    func seedsHave64Bits(_ text: String, _ seed: UInt64) throws {
        let read = try document("seed: \(text)\n"), top = try read.section("")
        #expect(try top.unsigned("seed", default: 0) == seed)
        #expect(read.resolved == "seed: \(seed)\n")
    }

    @Test(arguments: ["-1", "18446744073709551616", "1.5", "x"]) func otherSeedsAreRefused(_ text: String) throws {
        let top = try document("seed: \(text)\n").section("")
        let refused = failure { _ = try top.unsigned("seed", default: 0) }
        #expect(
            refused?.message == "run.yaml:1: `seed` must be a whole number from 0 to \(UInt64.max), but is `\(text)`")
    }

    @Test(arguments: ["seed", "a.b.c=1", ".x=1", "x.=1", "=1", "model.d_model=[1"])
    func overridesThatMakeNoSenseAreBadUsage(_ override: String) {
        let refused = failure { _ = try document(yaml, override) }
        #expect(refused?.status == .usage && refused?.message.hasPrefix("--set \(override): ") == true)
    }

    @Test func anOverriddenValueIsNotBlamedOnALineOfTheFile() throws {
        let document = try document(yaml, "model.d_model=wide", "data.train=[[1]]")
        let refused = failure { _ = try document.section("model").integer("d_model") }
        #expect(refused?.message == "run.yaml: `model.d_model` must be a whole number, but is `wide`")
        #expect(failure { _ = try document.section("data").texts("train") }?.message.hasPrefix("run.yaml: ") == true)
    }

    @Test(arguments: ["model: [1", "a: 1\n b: 2", "- a\n- b", "just a text", "a: 1\na: 2", "a: 1\n---\nb: 2"])
    func whatIsNoMappingIsRefused(_ yaml: String) {
        let refused = failure { _ = try document(yaml) }
        #expect(refused?.status == .configuration && refused?.message.contains("run.yaml") == true)
    }

    @Test func aBlockMustBeABlock() throws {
        let refused = failure { _ = try document("seed: 1\nmodel: 3\n").section("model") }
        #expect(refused?.message == "run.yaml:2: `model` must be a block of `key: value` lines")
        let overridden = failure { _ = try document("model: 3\n", "model.d_model=1").section("model") }
        #expect(overridden?.message.contains("`model` must be a block") == true)
    }

    /// Reads `seed` and `model.{d_model,layers}` and refuses the rest.
    private func unknown(_ yaml: String, _ overrides: String...) -> Failure? {
        failure {
            let document = try ConfigurationDocument(yaml: yaml, file: "run.yaml", overrides: overrides)
            _ = try document.section("").integer("seed", default: 1)
            let model = try document.section("model")
            _ = try (model.integer("d_model", default: 1), model.integer("layers", default: 1))
            try document.refuseUnknownKeys()
        }
    }

    @Test func unknownKeysAreRefusedWithTheNearestKnownOne() {
        #expect(unknown("seed: 1\nmodel:\n  layers: 2\n") == nil && unknown("") == nil && unknown("model:\n") == nil)
        let inner = unknown("seed: 1\nmodel:\n  d_modle: 2\n")
        #expect(inner?.message == "run.yaml:3: unknown key `model.d_modle`" && inner?.status == .configuration)
        #expect(inner?.advice == "did you mean `model.d_model`?")
        let block = unknown("modle:\n  layers: 2\n")
        #expect(block?.message == "run.yaml:1: unknown key `modle`" && block?.advice == "did you mean `model`?")
        // A key at the wrong level.
        let misplaced = unknown("model:\n  seed: 2\n")
        #expect(
            misplaced?.message == "run.yaml:2: unknown key `model.seed`" && misplaced?.advice == "did you mean `seed`?")
        #expect(unknown("layers: 2\n")?.advice == "did you mean `model.layers`?")
        #expect(unknown("completely_different: 2\n")?.advice == "docs/configuration.md lists every key")
        let override = unknown("seed: 1\n", "model.layer=2")
        #expect(override?.message == "run.yaml: unknown key `model.layer`")
        #expect(override?.advice == "did you mean `model.layers`?")
        #expect(unknown("? [a, b]\n: 1\n")?.status == .configuration)
    }

    /// Everything that was asked for, defaults included; read again, it means the same.
    @Test func theResolvedTextRestoresEverything() throws {
        let odd = "a \"quoted\" \\ text: with #, [ and 'more'\nand\ta line\u{1}"
        func read(_ document: ConfigurationDocument) throws -> [String] {
            let top = try document.section(""), model = try document.section("model")
            let data = try document.section("data")
            var values = ["\(try top.integer("seed"))", "\(try model.integer("d_model"))"]
            values.append("\(try model.number("rate", default: 1e-5))")
            values.append("\(try model.boolean("tied", default: false))")
            values += [try model.text("name"), try model.text("odd", default: odd)]
            values += try data.texts("train") + data.texts("none", default: [])
            values.append("\(try data.integerOrAuto("width", in: 1...9) ?? -1)")
            values.append(try data.text("empty", default: ""))
            return values
        }
        let first = try document(yaml, "seed=9")
        let values = try read(first)
        #expect(values.contains(odd))
        let second = try document(first.resolved)
        #expect(try read(second) == values)
        try second.refuseUnknownKeys()
        #expect(second.resolved == first.resolved)
        #expect(first.knownKeys.prefix(3) == ["seed", "model.d_model", "model.rate"])
    }

    @Test func aKeyReadTwiceIsWrittenOnce() throws {
        let document = try document(yaml)
        for _ in 0..<2 {
            let section = try document.section("model")
            _ = try (section.integer("d_model"), section.integer("d_model"))
        }
        #expect(document.resolved == "model:\n  d_model: 64\n")
        #expect(document.knownKeys == ["model.d_model"])
    }
}
