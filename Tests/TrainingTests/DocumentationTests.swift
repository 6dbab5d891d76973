import Configuration
import Diagnostics
import Foundation
import Kernels
import Parallelism
import RunFormat
import Testing

/// The pages say what the program does: keys, defaults, ranges, fields, codes, files.
struct DocumentationTests {
    /// A row of docs/configuration.md.
    struct Key: Sendable, CustomTestStringConvertible {
        var name: String
        var allowed: String
        var defaultValue: String
        var isRequired: Bool { defaultValue == "required" }
        var testDescription: String { name }
    }

    static let keys: [Key] = {
        let rows = (try? MarkdownTable("docs/configuration.md", head: "key").rows) ?? []
        return rows.map {
            Key(name: MarkdownTable.code($0[0]), allowed: $0[1], defaultValue: MarkdownTable.code($0[2]))
        }
    }()

    /// The smallest configuration that is accepted.
    static let smallest = [
        "data.train": "x", "model.d_model": "64", "model.layers": "1", "model.heads": "1", "model.context": "512",
        "batch.tokens": "4096", "train.steps": "1",
    ]

    static func read(_ settings: [String: String]) throws(Failure) -> [String: String] {
        let overrides = settings.map { "\($0.key)=\($0.value)" }.sorted()
        let values = try RunConfiguration(ConfigurationDocument(yaml: "", file: "test", overrides: overrides)).values
        return Dictionary(uniqueKeysWithValues: values.map { ($0.key, $0.value) })
    }

    /// What reading says against `value` for a key; nil if it is accepted.
    static func complaint(_ key: String, _ value: String) -> String? {
        var settings = smallest
        if key == "train.tokens" { settings["train.steps"] = nil }
        settings[key] = value
        do throws(Failure) {
            _ = try read(settings)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func thePageListsTheKeysThatExist() throws {
        var byTokens = Self.smallest
        byTokens["train.steps"] = nil
        byTokens["train.tokens"] = "1"
        let known = try Set(Self.read(Self.smallest).keys).union(Self.read(byTokens).keys)
        #expect(Self.keys.map(\.name).sorted() == known.sorted())
    }

    @Test func otherTrainersNamesAreAnsweredWithKeysThatExist() throws {
        #expect(Set(ForeignKeys.ours).isSubset(of: Self.keys.map(\.name)))
        for (theirs, ours) in [
            ("optimizer.lr", "optimizer.learning_rate"), ("hidden-size", "model.d_model"),
            ("batch.global_batch_size", "batch.tokens"), ("model.MOE_ROUTER_TOPK", "model.top_k"),
        ] {
            var settings = Self.smallest
            settings[theirs] = "1"
            let failure = #expect(throws: Failure.self) { try Self.read(settings) }
            #expect(failure?.advice == "did you mean `\(ours)`?", "\(theirs)")
        }
    }

    @Test(arguments: keys) func defaultsAreTheReaders(key: Key) throws {
        if key.isRequired {
            var settings = Self.smallest
            settings[key.name] = nil
            guard key.name != "train.tokens" else { return }
            #expect(throws: Failure.self) { try Self.read(settings) }
            return
        }
        let resolved = try #require(Self.read(Self.smallest)[key.name])
        let found = resolved.trimmingCharacters(in: CharacterSet(charactersIn: "[]\""))
        if key.name == "batch.micro_batch_tokens" { return }
        #expect(found == key.defaultValue.trimmingCharacters(in: CharacterSet(charactersIn: "[]")))
    }

    @Test(arguments: [
        (512, 4096, 2048), (4096, 8192, 4096), (512, 1024, 1024), (1000, 4000, 2000), (512, 2560, 512),
        (256, 3584, 1792),
    ])
    func microBatchesHoldWholeSequences(context: Int, batch: Int, microBatch: Int) throws {
        var settings = Self.smallest
        settings["model.context"] = "\(context)"
        settings["batch.tokens"] = "\(batch)"
        #expect(try Self.read(settings)["batch.micro_batch_tokens"] == "\(microBatch)")
    }

    @Test func aBatchOfBrokenSequencesIsRefusedForWhatItIs() {
        let complaint = Self.complaint("batch.tokens", "1000") ?? ""
        #expect(complaint.contains("not a whole number of sequences of model.context = 512"))
    }

    @Test func cosineEndsAtATenth() throws {
        var settings = Self.smallest
        settings["schedule.kind"] = "cosine"
        #expect(try Self.read(settings)["schedule.final_share"] == "0.1")
    }

    @Test(arguments: keys.filter { $0.allowed.contains("number from") }) func rangesEndWhereThePageSays(key: Key) throws
    {
        let words = key.allowed.replacing(",", with: "").split(separator: " ").map(String.init)
        let from = try #require(words.firstIndex(of: "from")), isWhole = words[0] == "whole"
        let low = words[from + 1], high = words.count > from + 3 && words[from + 2] == "to" ? words[from + 3] : nil
        let refused = "allowed are"
        func beyond(_ text: String, _ sign: Double) throws -> String {
            if isWhole { return "\(try #require(Int(text)) + Int(sign))" }
            let number = try #require(Double(text))
            return "\(number + sign * max(abs(number) * 1e-3, 1e-20))"
        }
        #expect(Self.complaint(key.name, low)?.contains(refused) != true)
        #expect(try Self.complaint(key.name, beyond(low, -1))?.contains(refused) == true)
        guard let high else { return }
        #expect(Self.complaint(key.name, high)?.contains(refused) != true)
        #expect(try Self.complaint(key.name, beyond(high, 1))?.contains(refused) == true)
    }

    @Test(arguments: ["precision", "model.norm", "schedule.kind"]) func choicesAreTheReaders(name: String) throws {
        let key = try #require(Self.keys.first { $0.name == name })
        let listed = MarkdownTable.codes(key.allowed).joined(separator: ", ")
        #expect(Self.complaint(name, "nonsense")?.hasSuffix("allowed are \(listed)") == true)
    }
}
