import Checkpoints
import Configuration
import Conversion
import Data
import Foundation
import Tensors
import TestSupport
import Testing
import Tokenizers

/// Against files that Hugging Face's own libraries wrote (scripts/golden/huggingface.py).
struct GoldenTests {
    private let golden: String

    init() throws {
        golden = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil)).path
    }

    @Test(arguments: [
        "qwen2moe", "llama", "mistral", "mixtral", "llama-grouped", "qwen2", "mixtral-grouped", "qwen3", "qwen3moe",
        "olmoe", "llama3", "yarn", "qwen2moe-shared", "qwen2moe-dense", "qwen3moe-dense", "ernie-shared", "deepseek",
    ]) func logitsAreThoseOfTransformers(name: String) throws {
        try inScratchFolder { folder in
            let checkpoint = folder + "/c"
            _ = try FromHuggingFace("\(golden)/\(name)", tokenizer: ByteTokenizer(), context: nil)
                .write(to: checkpoint, run: name, versions: [:])
            let reference = try SafetensorsFile("\(golden)/\(name)/reference.safetensors")
            let stored = try #require(reference.tensors.first { $0.name == "tokens" })
            let logits = try #require(reference.tensors.first { $0.name == "logits" })
            let tokens = try reference.read(stored, 0..<stored.count).array.map(Int.init)
            let expected = try reference.read(logits, 0..<logits.count).array, directory = "\(golden)/\(name)"
            let largest = try onOneRank { world in
                var largest = LargestDeviation()
                let sample = SampleTokens(
                    sequences: stride(from: 0, to: 72, by: 24).map { Array(tokens[$0..<$0 + 24]) })
                _ = try ConversionCheck(
                    directory, is: SourceCheckpoint(CheckpointReader(checkpoint)), tokens: sample, on: world
                ) { part, first in
                    for row in 0..<part.rows {
                        for c in 0..<part.columns {
                            largest.add(Double(part[row, c]), expected: Double(expected[row * 261 + first + c]))
                        }
                    }
                }
                return largest.value
            }
            #expect(largest < 1e-4 && (expected.max() ?? 0) > 1)
        }
    }

    /// Out again, the weights are the bytes that transformers wrote, where its class has nothing that ours leaves out.
    @Test func weightsComeOutAsTheyCameIn() throws {
        try inScratchFolder { folder in
            _ = try FromHuggingFace(golden + "/llama", tokenizer: ByteTokenizer(), context: nil)
                .write(to: folder + "/c", run: "c", versions: [:])
            try export(folder + "/c", to: folder + "/e")
            #expect(
                try fileBytes(folder + "/e/model.safetensors") == fileBytes(golden + "/llama/model.safetensors"))
        }
    }

    @Test func theWriterSpellsAsTheLibraryDoes() throws {
        try inScratchFolder { folder in
            let path = folder + "/a.safetensors"
            let writer = try SafetensorsWriter(
                path,
                [
                    SafetensorsEntry(name: "b", shape: [2, 3]), SafetensorsEntry(name: "a.weight", shape: [2]),
                    SafetensorsEntry(name: "B", shape: [1, 1, 4]),
                ])
            for (name, values) in [("B", [0, 0, 0, 0]), ("a.weight", [0.5, -1]), ("b", [0, 1, 2, 3, 4, 5])]
                as [(String, [Float])]
            {
                try writer.begin(name)
                try writer.append(Vector(values))
            }
            try writer.finish()
            #expect(try fileBytes(path) == fileBytes(golden + "/library.safetensors"))
        }
    }

    @Test func aTokenizerOfTheLibraryGivesItsIds() throws {
        struct Ids: Decodable {
            var text: String
            var ids: [UInt32]
        }
        let ids = try JSONDecoder().decode(Ids.self, from: Data(fileBytes(golden + "/tokenizer/ids.json")))
        let tokenizer = try readTokenizer(inFile: golden + "/tokenizer/tokenizer.json")
        #expect(tokenizer.encode(ids.text) == ids.ids)
        #expect(tokenizer.decode(ids.ids.map(Int.init)) == Array(ids.text.utf8))
        let exported = try ExportedTokenizer(tokenizer, context: 8).json()
        let again = try importedTokenizer(exported, "exported")
        #expect(again.serialized == tokenizer.serialized)
    }
}
