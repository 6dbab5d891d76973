import TestSupport
import Checkpoints
import Configuration
import Conversion
import Data
import Diagnostics
import Foundation
import Kernels
import Model
import Tensors
import Testing
import Training

/// Directories that hold more than one save, and numbers that are none.
struct SavedTwiceTests {
    private func copy(_ from: String, _ to: String, where isWanted: (String) -> Bool) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: from) where isWanted(name) {
            try? FileManager.default.removeItem(atPath: "\(to)/\(name)")
            try FileManager.default.copyItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
        }
    }

    private func isWeights(_ name: String) -> Bool { name.contains(".safetensors") }

    /// The digests of what is imported from `directory`, without a check.
    private func imported(_ directory: String) throws -> (digests: [String: UInt64], notes: [String]) {
        let conversion = try FromHuggingFace(directory, tokenizer: nil, context: nil)
        let target = directory + "-back"
        try? FileManager.default.removeItem(atPath: target)
        _ = try conversion.write(to: target, run: "back", versions: [:])
        return (try digests(target), conversion.notes)
    }

    @Test func theSingleFileIsTakenBeforeAnIndex() throws {
        try inScratchFolder { folder in
            let old = try TinyModel(["model.experts=2"]).write(in: folder + "/old", ranks: 1)
            let directory = folder + "/both", single = folder + "/single"
            try export(old, to: directory, shard: 9000)
            #expect(try imported(directory).notes.isEmpty)
            let stale = try imported(directory).digests
            // The same model with other numbers, in one file over the shards.
            let new = try TinyModel(["model.experts=2"]).write(in: folder + "/new", seed: 6)
            try export(new, to: single)
            try copy(single, directory) { isWeights($0) }
            let found = try imported(directory)
            #expect(try found.digests == digests(new) && found.digests != stale)
            #expect(found.notes.count == 1 && found.notes[0].contains("model.safetensors.index.json"))
            #expect(found.notes[0].contains("model-00001-of-"))
        }
    }

    @Test func shardsThatTheIndexDoesNotNameAreLeftAside() throws {
        try inScratchFolder { folder in
            let old = try TinyModel(["model.experts=2"]).write(in: folder + "/old")
            let new = try TinyModel(["model.experts=2"]).write(in: folder + "/new", seed: 6)
            let directory = folder + "/both", again = folder + "/again"
            try export(old, to: directory, shard: 5000)
            try export(new, to: again, shard: 20_000)
            try copy(again, directory) { isWeights($0) }
            let found = try imported(directory)
            #expect(try found.digests == digests(new))
            #expect(found.notes.count == 1 && !found.notes[0].contains("index.json"))
        }
    }

    /// A shard of one save under the name that the other's index gives it.
    @Test func shardsOfTwoSavesDoNotMix() throws {
        try inScratchFolder { folder in
            let old = try TinyModel(["model.experts=2"]).write(in: folder + "/old")
            let directory = folder + "/one", other = folder + "/two"
            try export(old, to: directory, shard: 9000)
            try export(old, to: other, shard: 8000)
            try copy(other, directory) { $0.hasSuffix("index.json") }
            #expect(refusal { _ = try imported(directory) } != nil)
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 3e38, -1e20])
    func numbersThatAreNoneAreRefused(value: Float) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=2"]).write(in: folder)
            let directory = folder + "/export", path = directory + "/model.safetensors"
            try export(checkpoint, to: directory)
            let bytes = try fileBytes(path)
            for tensor in try SafetensorsFile(path).tensors {
                for element in [0, tensor.count - 1] {
                    var changed = bytes
                    let place = tensor.offset + 4 * element
                    unsafe changed.replaceSubrange(
                        place..<place + 4, with: withUnsafeBytes(of: value) { unsafe Array($0) })
                    try Data(changed).write(to: URL(filePath: path))
                    let message = refusal { _ = try imported(directory) }
                    #expect(message?.contains("`\(tensor.name)`") == true, "\(tensor.name) \(element)")
                }
            }
        }
    }

    /// Also without a check of the result.
    @Test(arguments: [1, 2], [Float.nan, .infinity])
    func numbersThatAreNoneAreNotExported(experts: Int, value: Float) throws {
        let model = try TinyModel(["model.experts=\(experts)"])
        let layout = ParameterLayout(model.configuration.model, .all)
        for id in layout.all where experts > 1 || !layout[id].name.hasSuffix(".router") {
            try inScratchFolder { folder in
                let checkpoint = try model.write(in: folder) { parameters in
                    let values = parameters.vector(id)
                    values[values.count - 1] = value
                }
                let expected = "`parameters/\(layout[id].name)` is \(value)"
                let exported = refusal { try export(checkpoint, to: folder + "/export") }
                #expect(exported?.contains(expected) == true, "\(exported ?? "exported"): \(expected)")
                guard experts == 1 else { return }
                let source = try SourceCheckpoint(CheckpointReader(checkpoint))
                let upcycled = refusal {
                    _ = try Upcycle(source, experts: 2, topK: 1).write(to: folder + "/up", run: "up", versions: [:])
                }
                #expect(upcycled?.contains(expected) == true, "\(upcycled ?? "upcycled"): \(expected)")
            }
        }
    }

    /// A directory in which something else stands in place of the weights.
    @Test(arguments: [
        (["pytorch_model.bin"], "but pytorch_model.bin", "safe_serialization=True"),
        (["model.fp16.safetensors"], "but model.fp16.safetensors", "variant='fp16'"),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], "but model-00001", "index.json"),
        (["adapter_model.safetensors"], "but adapter_model.safetensors", "merge it into its base"),
        (["training_args.bin"], "no model.safetensors.index.json", "download the weights"),
    ])
    func whatStandsInPlaceOfTheWeightsIsNamed(files: [String], found: String, advice: String) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=2"]).write(in: folder)
            let directory = folder + "/export"
            try export(checkpoint, to: directory)
            let weights = try fileBytes(directory + "/model.safetensors")
            try FileManager.default.removeItem(atPath: directory + "/model.safetensors")
            for file in files { try Data(weights).write(to: URL(filePath: "\(directory)/\(file)")) }
            do throws(Failure) {
                _ = try FromHuggingFace(directory, tokenizer: nil, context: nil)
                Issue.record("it was imported")
            } catch {
                #expect(error.status == .noInput && error.message.contains(found), "\(error)")
                #expect(error.advice?.contains(advice) == true, "\(error)")
            }
        }
    }
}
