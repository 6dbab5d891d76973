import Checkpoints
import Configuration
import Conversion
import Data
import Diagnostics
import Foundation
import Kernels
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

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func numbersThatAreNoneAreRefused(value: Float) throws {
        try inScratchFolder { folder in
            let checkpoint = try TinyModel(["model.experts=2"]).write(in: folder)
            let directory = folder + "/export", path = directory + "/model.safetensors"
            try export(checkpoint, to: directory)
            let bytes = try fileBytes(path)
            for tensor in try SafetensorsFile(path).tensors {
                for element in [0, tensor.count - 1] {
                    var changed = bytes
                    let place = tensor.offset + 4 * element
                    changed.replaceSubrange(place..<place + 4, with: withUnsafeBytes(of: value) { Array($0) })
                    try Data(changed).write(to: URL(filePath: path))
                    let message = refusal { _ = try imported(directory) }
                    #expect(message?.contains("`\(tensor.name)`") == true, "\(tensor.name) \(element)")
                }
            }
        }
    }
}
