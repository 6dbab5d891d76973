import Configuration
import Diagnostics
import Foundation
import Testing

@Suite struct RetiredKeysTests {
    @Test(
        "a file's retired key is refused with its line and the key that replaced it",
        arguments: RetiredKeys.configuration)
    func keyOfAFile(old: String, current: String) {
        let name = old.split(separator: ".")
        let refused = failure { _ = try document("seed: 1\n\(name[0]):\n  \(name[1]): 2\n") }
        #expect(refused?.status == .configuration)
        #expect(refused?.message.hasPrefix("run.yaml:3: `\(old)`") == true, "\(refused?.message ?? "accepted")")
        #expect(refused?.advice?.contains("`\(current)`") == true)
    }

    @Test("so is one of an override", arguments: RetiredKeys.configuration)
    func keyOfAnOverride(old: String, current: String) {
        let refused = failure { _ = try document("", "\(old)=2") }
        #expect(refused?.status == .configuration && refused?.message.hasPrefix("--set \(old)=2: ") == true)
        #expect(refused?.advice?.contains("`\(current)`") == true)
    }

    @Test("a stored configuration is read with current keys")
    func storedConfiguration() throws {
        let yaml =
            "seed: 1\nbatch:\n  tokens: 256\n  lane_tokens: 64\nparallel:\n  lanes_in_flight: 2\nother:\n  lane_tokens: 3\n"
        let document = try ConfigurationDocument(yaml: yaml, file: "stored", isStored: true)
        #expect(try document.section("batch").integer("micro_batch_tokens") == 64)
        #expect(try document.section("parallel").integer("micro_batches_in_flight") == 2)
        #expect(try document.section("other").integer("lane_tokens") == 3, "a key of another section is another key")
    }

    @Test("only keys are translated: values, lists and comments with the same words stay")
    func translation() {
        let text = "batch:\n  lane_tokens: 1\n# lane_tokens: 2\nrun:\n  directory: \"lane_tokens: 1\"\n  - x\n\n"
        let expected = text.replacing("  lane_tokens: 1\n#", with: "  micro_batch_tokens: 1\n#")
        #expect(RetiredKeys.translated(configuration: text) == expected)
        #expect(RetiredKeys.translated(configuration: expected) == expected)
        #expect(RetiredKeys.translated(configuration: "") == "")
    }

    @Test("no key replaces another retired one, and none replaces two")
    func tableIsFlat() {
        for names in [RetiredKeys.configuration, RetiredKeys.fields] {
            #expect(Set(names.values).count == names.count)
            #expect(names.values.allSatisfy { names[$0] == nil })
        }
    }

    @Test("records are decoded with fields of either version")
    func records() throws {
        struct Record: Decodable, Equatable {
            var droppedRatio: Double
            var step: Int
            enum CodingKeys: String, CodingKey {
                case droppedRatio = "dropped_ratio"
                case step
            }
        }
        for field in ["dropped_share", "dropped_ratio"] {
            let json = Data(#"{"step": 3, "\#(field)": 0.25}"#.utf8)
            #expect(try JSONDecoder.ofRecords().decode(Record.self, from: json) == Record(droppedRatio: 0.25, step: 3))
        }
    }
}
