import TestSupport
import Checkpoints
import Collectives
import Conversion
import Diagnostics
import Foundation
import Model
import Tensors
import Testing

@Suite("Mean of checkpoints") struct AverageTests {
    private let changes = ["model.experts=4", "routing.balancing=bias"]

    private func write(_ seeds: [UInt64], in folder: String) throws -> [String] {
        try seeds.map { seed in
            try TinyModel(changes).write(in: "\(folder)/\(seed)", ranks: seed % 2 == 0 ? 2 : 1, seed: seed)
        }
    }

    private func sources(_ paths: [String]) throws -> [SourceCheckpoint] {
        try paths.map { try SourceCheckpoint(CheckpointReader($0)) }
    }

    @Test("every parameter is the weighted mean", arguments: [nil, [1, 1, 1], [3, 0.5, 1e-3]] as [[Double]?])
    func mean(weights: [Double]?) throws {
        try inScratchFolder { folder in
            let paths = try write([1, 2, 3], in: folder)
            _ = try Average(sources(paths), weights: weights).write(to: folder + "/mean", run: "mean", versions: [:])
            let readers = try paths.map { try CheckpointReader($0) }, mean = try CheckpointReader(folder + "/mean")
            let factors = weights ?? [1, 1, 1], sum = factors.reduce(0, +)
            let names = readers[0].tensors.map(\.name).filter { $0.hasPrefix("parameters/") }
            #expect(mean.tensors.map(\.name).sorted() == names.sorted())
            for name in names {
                let all = try readers.map { try $0.read(name).array }, found = try mean.read(name).array
                for i in found.indices {
                    let expected = zip(all, factors).reduce(0.0) { $0 + Double($1.0[i]) * $1.1 } / sum
                    #expect(abs(Double(found[i]) - expected) <= 1e-7 * max(1, abs(expected)), "\(name) \(i)")
                }
            }
            #expect(mean.record.step == 0 && mean.record.extras["converted_from"] == paths.joined(separator: ", "))
            #expect(mean.record.configuration == readers[0].record.configuration)
        }
    }

    @Test("the mean of equal checkpoints is the same to the bit, however many") func equals() throws {
        try inScratchFolder { folder in
            let path = try write([5], in: folder)[0]
            for count in [2, 3, 7] {
                let copies = try sources(Array(repeating: path, count: count))
                _ = try Average(copies).write(to: "\(folder)/mean-\(count)", run: "mean", versions: [:])
                #expect(try digests("\(folder)/mean-\(count)") == digests(path))
            }
        }
    }

    @Test("other models, other tokenizers and weights that do not fit are refused") func refusals() throws {
        try inScratchFolder { folder in
            let paths = try write([1, 2], in: folder), two = try sources(paths)
            func message(_ sources: [SourceCheckpoint], _ weights: [Double]? = nil) -> String? {
                refusal { _ = try Average(sources, weights: weights) }
            }
            #expect(message([two[0]])?.contains("at least two") == true)
            #expect(message(two, [1])?.contains("1 numbers for 2 checkpoints") == true)
            for weights in [[1, 0], [-1, 2], [1, .nan], [.infinity, 1], [1e300, 1e-300]] {
                #expect(message(two, weights)?.contains("finite numbers above 0") == true, "\(weights)")
            }
            #expect(message(two, [1e300, 1]) == nil)
            let other = try TinyModel(["model.experts=8", "routing.balancing=bias"]).write(in: folder + "/other")
            #expect(message([two[0]] + (try sources([other])))?.contains("model.experts: 4 and 8") == true)
            for change in ["model.rope_base=500", "routing.normalize_gates=true"] {
                let other = try TinyModel(changes + [change]).write(in: "\(folder)/\(change)")
                #expect(message([two[0]] + (try sources([other])))?.contains("different models") == true, "\(change)")
            }
            let merged = try withOtherTokenizer(paths[1], in: folder)
            #expect(message([two[0]] + (try sources([merged])))?.contains("different tokenizers") == true)
        }
    }

    @Test("a parameter that is not a number is refused, and nothing is left") func notFinite() throws {
        try inScratchFolder { folder in
            let bad = try TinyModel(changes).write(in: folder + "/bad") { $0.values[7] = .nan }
            let average = try Average(sources([bad] + (try write([1], in: folder))))
            #expect(refusal { _ = try average.write(to: folder + "/mean", run: "mean", versions: [:]) } != nil)
            #expect(!FileManager.default.fileExists(atPath: folder + "/mean"))
        }
    }

    /// The same numbers under merges of byte pairs, of which the model's vocabulary has room.
    private func withOtherTokenizer(_ path: String, in folder: String) throws -> String {
        let reader = try CheckpointReader(path)
        let shards = try reader.tensors.map {
            TensorShard(name: $0.name, shape: $0.shape, values: try reader.read($0.name))
        }
        var record = reader.record
        record.tokenizer = "#version: 0.2\na b\n"
        let changed = record
        return try onOneRank { world in
            try CheckpointWriter(directory: folder + "/merged", ranks: world, shards: 1).write(changed, shards)
                .directory
        }
    }
}
