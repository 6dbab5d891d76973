import Configuration
import Diagnostics
import Testing

private enum Norm: String, CaseIterable {
    case rms, layer
}

@Suite struct ConfigurationSectionTests {
    private func section(_ line: String) throws -> ConfigurationSection {
        try document("model:\n  other: 1\n  \(line)\n").section("model")
    }

    @Test(arguments: [
        ("256", 256), ("65_536", 65536), ("1e3", 1000), ("6.5536e4", 65536), ("2.5E1", 25), ("0", 0), ("\"7\"", 7),
    ])
    func wholeNumbersAreRead(_ text: String, _ value: Int) throws {
        #expect(try section("d: \(text)").integer("d") == value)
    }

    @Test(arguments: ["1.5", "1e-1", "abc", "", "true", "1e400", "0x10", "12k", "1e16", "99999999999999999999"])
    func whatIsNotWholeIsRefused(_ text: String) {
        let refused = failure { _ = try section("d: \(text)").integer("d") }
        #expect(refused?.status == .configuration)
        #expect(refused?.message == "run.yaml:3: `model.d` must be a whole number, but is `\(text)`")
    }

    @Test func rangesAreNamed() throws {
        let low = failure { _ = try section("d: -3").integer("d") }
        #expect(low?.message == "run.yaml:3: `model.d` is -3; allowed are 0 and more")
        let high = failure { _ = try section("d: 9").integer("d", in: 2...8) }
        #expect(high?.message == "run.yaml:3: `model.d` is 9; allowed are 2 to 8")
        #expect(try section("d: 8").integer("d", in: 2...8) == 8 && section("d: 2").integer("d", in: 2...8) == 2)
        let number = failure { _ = try section("d: 1.5").number("d", in: 0...1) }
        #expect(number?.message == "run.yaml:3: `model.d` is 1.5; allowed are numbers from 0.0 to 1.0")
        let negative = failure { _ = try section("d: -1").number("d") }
        #expect(negative?.message == "run.yaml:3: `model.d` is -1.0; allowed are numbers from 0.0")
        // A default may depend on other settings, so it is checked too.
        #expect(failure { _ = try section("").integer("d", default: 1, in: 2...3) }?.status == .configuration)
    }

    @Test(arguments: [("0.1", 0.1), ("3e-4", 3e-4), ("5", 5), ("1_000.5", 1000.5), ("-0.0", 0)])
    func numbersAreRead(_ text: String, _ value: Double) throws {
        #expect(try section("d: \(text)").number("d") == value)
    }

    @Test(arguments: ["nan", "inf", ".inf", "x", "", "1,5", "1e999"])
    func whatIsNoNumberIsRefused(_ text: String) {
        let refused = failure { _ = try section("d: \(text)").number("d") }
        #expect(refused?.message == "run.yaml:3: `model.d` must be a number, but is `\(text)`")
    }

    @Test func truthTextsAndListsAreRead() throws {
        #expect(try section("d: true").boolean("d") && !section("d: false").boolean("d"))
        #expect(failure { _ = try section("d: 2").boolean("d") }?.message.contains("must be true or false") == true)
        #expect(try section("d: a b").text("d") == "a b" && section("d: 12").text("d") == "12")
        #expect(
            failure { _ = try section("d: [a]").text("d") }?.message.hasSuffix("must be a text, but is a list") == true)
        #expect(failure { _ = try section("d: {a: 1}").text("d") }?.message.hasSuffix("but is a block") == true)
        #expect(try section("d: a").texts("d") == ["a"] && section("d: [a, \"b c\"]").texts("d") == ["a", "b c"])
        #expect(try section("d: []").texts("d") == [] && section("d:").texts("d") == [])
        #expect(failure { _ = try section("d: [a, [b]]").texts("d") }?.message.contains("a list of texts") == true)
        #expect(failure { _ = try section("d: {a: b}").texts("d") }?.status == .configuration)
    }

    @Test func choicesAreNamed() throws {
        #expect(try section("d: layer").choice("d", default: Norm.rms) == .layer)
        #expect(try section("").choice("d", default: Norm.rms) == .rms)
        let refused = failure { _ = try section("d: rmsnorm").choice("d", default: Norm.rms) as Norm }
        #expect(refused?.message == "run.yaml:3: `model.d` is `rmsnorm`; allowed are rms, layer")
        #expect(failure { _ = try section("d: layr").choice("d") as Norm }?.advice == "did you mean `layer`?")
        let missing = failure { _ = try section("").choice("d") as Norm }
        #expect(missing?.message == "run.yaml: `model.d` is missing; it must be one of rms, layer")
    }

    @Test func autoIsNoNumber() throws {
        #expect(try section("d: auto").integerOrAuto("d", in: 1...8) == nil)
        #expect(try section("").integerOrAuto("d", in: 1...8) == nil)
        #expect(try section("d: 4").integerOrAuto("d", in: 1...8) == 4)
        #expect(failure { _ = try section("d: 9").integerOrAuto("d", in: 1...8) }?.message.contains("1 to 8") == true)
        #expect(failure { _ = try section("d: some").integerOrAuto("d", in: 1...8) }?.status == .configuration)
    }

    @Test func defaultsStandInAndMissingKeysAreNamed() throws {
        let section = try section("given: 1")
        #expect(try section.integer("d", default: 7) == 7 && section.number("e", default: 0.5) == 0.5)
        #expect(try section.boolean("f", default: true) && section.text("g", default: "x") == "x")
        #expect(try section.texts("h", default: ["x", "y"]) == ["x", "y"])
        #expect(section.contains("given") && !section.contains("d"))
        let missing = failure { _ = try section.integer("i") }
        #expect(missing?.message == "run.yaml: `model.i` is missing; it must be a whole number")
        #expect(section.failure("given", "is odd", advice: "even it").message == "run.yaml:3: `model.given` is odd")
    }
}
