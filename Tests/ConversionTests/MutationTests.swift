import TestSupport
import Configuration
import Conversion
import Data
import Diagnostics
import Foundation
import Model
import Randomness
import Testing
import Tokenizers

/// More than ten thousand damaged files: each is taken or refused with a message that names it, and memory stays bounded.
struct MutationTests {
    private struct Refused {
        var count = 0
        var taken = 0
    }

    /// Reads `times` mutations of `bytes`.
    private func mutate(
        _ bytes: [UInt8], times: Int, seed: UInt64, statuses: [Diagnostics.ExitStatus] = [.data],
        _ read: ([UInt8]) throws(Failure) -> Void
    ) -> Refused {
        var outcome = Refused(), mutator = Mutator(seed)
        for _ in 0..<times {
            do throws(Failure) {
                try read(mutator.mutation(of: bytes))
                outcome.taken += 1
            } catch {
                let isClear = error.message.contains("FILE") && error.message.utf8.count < 1000
                #expect(isClear && statuses.contains(error.status), "\(error.message)")
                outcome.count += 1
            }
        }
        return outcome
    }

    @Test func headersOfSafetensors() throws {
        let names = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", "a", "b"]
        let parts = names.enumerated().map { number, name in
            #""\#(name)":{"dtype":"F32","shape":[2,4],"data_offsets":[\#(32 * number),\#(32 * number + 32)]}"#
        }
        let header = Array(#"{"__metadata__":{"format":"pt"},\#(parts.joined(separator: ","))}"#.utf8)
        let outcome = mutate(header, times: 4000, seed: 1) { bytes throws(Failure) in
            let end = 8 + bytes.count + 160
            let tensors = try SafetensorsHeader.tensors(json: bytes, fileBytes: end, path: "FILE")
            #expect(tensors.allSatisfy { $0.offset >= 8 && $0.offset + $0.type.bytes * $0.count <= end })
        }
        #expect(outcome.count > 3000 && outcome.taken > 0)
    }

    @Test func configurations() throws {
        let bytes = Array(ImportedConfigurationTests.mixture.utf8)
        let outcome = mutate(bytes, times: 3000, seed: 2) { bytes throws(Failure) in
            let model = try ImportedConfiguration(json: bytes, path: "FILE").model
            #expect(
                model.dModel > 0 && model.vocabularySize <= largestVocabulary
                    && model.expertsPerToken <= model.expertCount(inLayer: 0))
        }
        #expect(outcome.count > 1500 && outcome.taken > 0)
    }

    @Test func tokenizers() throws {
        let tokenizer = try readTokenizer(Array("#version: 0.2\na b\nab c\nĠ a\n".utf8), from: "merges")
        let bytes = try ExportedTokenizer(tokenizer, context: 8).json()
        let outcome = mutate(bytes, times: 3000, seed: 3) { bytes throws(Failure) in
            let found = try importedTokenizer(bytes, "FILE")
            #expect(found.decode(found.encode("abc ab").map(Int.init)) == Array("abc ab".utf8))
        }
        #expect(outcome.count > 1500 && outcome.taken > 0)
    }

    /// The index of a model in several files; a name may be that of a file which is not there.
    @Test func indices() throws {
        try inScratchFolder { folder in
            let directory = folder + "/FILE", path = directory + "/model.safetensors.index.json"
            try export(TinyModel(["model.experts=2"]).write(in: folder), to: directory, shard: 20_000)
            let bytes = try fileBytes(path)
            let outcome = mutate(bytes, times: 1000, seed: 5, statuses: [.data, .noInput]) { bytes throws(Failure) in
                _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
                #expect(try ImportedModel(directory).parameters.count == 24)
            }
            #expect(outcome.count > 500)
        }
    }

    @Test func wholeFiles() throws {
        try inScratchFolder { folder in
            let path = folder + "/FILE"
            try writeSafetensors(
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: [1, 2, 3, 4, 5, 6, 7, 8], to: path)
            let outcome = mutate(try fileBytes(path), times: 500, seed: 4) { bytes throws(Failure) in
                _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
                _ = try SafetensorsFile(path)
            }
            #expect(outcome.count > 300)
        }
    }

    /// Nested a hundred thousand times, and longer than any such file may be.
    @Test func depthAndLengthHaveLimits() throws {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(refusal { _ = try ImportedConfiguration(json: deep, path: "FILE") }?.contains("FILE") == true)
        let deepModel = Array("{\"model\":".utf8) + deep
        #expect(refusal { _ = try importedTokenizer(deepModel, "FILE") }?.contains("FILE") == true)
        try inScratchFolder { folder in
            let long = Data(repeating: UInt8(ascii: " "), count: 3 << 20)
            _ = FileManager.default.createFile(atPath: folder + "/config.json", contents: long)
            let message = refusal { _ = try FromHuggingFace(folder, tokenizer: nil, context: nil) }
            #expect(message?.contains("config.json is longer than the 1048576 bytes") == true)
        }
    }
}

/// The ways in which files go wrong: bits flip, pieces vanish, double or change places, numbers grow.
private struct Mutator {
    private let random: RandomFunction
    private var drawn: UInt64 = 0
    private static let words = [
        "9223372036854775807", "-1", "1e999", "18446744073709551616", "null", "true", "{}", "[]", "\"\\ud800\"", "0.5",
        "\"\"", "[[[[[[[[", "}}}}", "NaN", "\u{0}", "\"num_experts\":0,", "1e15",
    ].map { Array($0.utf8) }

    init(_ seed: UInt64) { random = RandomFunction(seed: seed, purpose: .tests) }

    private mutating func number(below bound: Int) -> Int {
        drawn += 1
        return Int(random.integer(drawn, below: UInt64(max(1, bound))))
    }

    mutating func mutation(of bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...number(below: 3) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = number(below: bytes.count), length = min(number(below: 40), bytes.count - place)
        let range = place..<place + length
        switch number(below: 7) {
        case 0: if !bytes.isEmpty { bytes[place] ^= 1 << UInt8(number(below: 8)) }
        case 1: bytes.removeSubrange(range)
        case 2: bytes.insert(contentsOf: Array(bytes[range]), at: place)
        case 3: bytes.removeLast(min(bytes.count, number(below: 60)))
        case 4: bytes.insert(contentsOf: Self.words[number(below: Self.words.count)], at: place)
        case 5: bytes.replaceSubrange(range, with: Self.words[number(below: Self.words.count)])
        default: replaceNumber(&bytes, near: place)
        }
    }

    /// A number becomes another one, so that the file stays JSON.
    private mutating func replaceNumber(_ bytes: inout [UInt8], near place: Int) {
        func isDigit(_ index: Int) -> Bool { (0x30...0x39).contains(bytes[index]) }
        guard let start = (place..<bytes.count).first(where: isDigit) else { return }
        let end = (start..<bytes.count).first { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Self.words[number(below: 6)])
    }
}
