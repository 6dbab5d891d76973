import JSON
import Diagnostics
import Foundation
import Platform
import Tensors

/// The tensors of a Hugging Face model: `model.safetensors`, or the files that `model.safetensors.index.json` names.
///
/// A directory that was saved twice can have both, and shards of another save. The choice is that of `transformers`: the
/// single file if it is there, and otherwise what the index names.
final class WeightFiles {
    let directory: String
    /// Every tensor once.
    let tensors: [String: (file: SafetensorsFile, tensor: SafetensorsTensor)]
    /// Files of weights that are there and not read, indices first.
    let unread: [String]

    private static let single = "model.safetensors"
    private static let indexName = "model.safetensors.index.json"
    /// Bytes of the index.
    private static let limit = 1 << 25

    private struct Index: Decodable { var weight_map: [String: String] }

    init(_ directory: String) throws(Failure) {
        self.directory = directory
        let index = "\(directory)/\(Self.indexName)", single = "\(directory)/\(Self.single)"
        let files = Self.weightFiles(in: directory)
        guard FileManager.default.fileExists(atPath: single) || FileManager.default.fileExists(atPath: index) else {
            throw MissingWeights(directory).failure
        }
        if FileManager.default.fileExists(atPath: single) || !FileManager.default.fileExists(atPath: index) {
            let file = try SafetensorsFile(single)
            tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, (file, $0)) })
            unread = files.filter { $0 != Self.single }
            return
        }
        let map = try JSONFile.decode(
            try JSONFile.read(index, limit: Self.limit), as: Index.self, from: index
        ).weight_map
        tensors = try Self.open(map, directory, index)
        unread = files.filter { !Set(map.values).contains($0) && $0 != Self.indexName }
    }

    /// Names in `directory` that stand for weights, indices first.
    private static func weightFiles(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let (shards, indices) = (
            names.filter { $0.hasSuffix(".safetensors") }, names.filter { $0.hasSuffix(".safetensors.index.json") }
        )
        return indices.sorted() + shards.sorted()
    }

    private static func open(
        _ map: [String: String], _ directory: String, _ index: String
    ) throws(Failure) -> [String: (file: SafetensorsFile, tensor: SafetensorsTensor)] {
        var found: [String: (file: SafetensorsFile, tensor: SafetensorsTensor)] = [:]
        for name in Set(map.values).sorted() {
            // A name in the directory itself, never a way out of it.
            guard name.hasSuffix(".safetensors"), !name.hasPrefix("."), !name.contains("/"), !name.utf8.contains(0),
                name.utf8.count <= 255
            else {
                throw Failure(.data, "\(index) names `\(name.prefix(200))`, which is no safetensors file beside it")
            }
            let file = try SafetensorsFile("\(directory)/\(name)")
            for tensor in file.tensors {
                guard map[tensor.name] == name else {
                    throw Failure(
                        .data, "\(file.path) holds `\(tensor.name.prefix(200))`, which the index does not seek there")
                }
                found[tensor.name] = (file, tensor)
            }
        }
        if let lost = map.keys.sorted().first(where: { found[$0] == nil }) {
            throw Failure(.data, "\(index) names `\(lost.prefix(200))`, which is in none of the files")
        }
        return found
    }

    func stored(_ name: String) throws(Failure) -> SafetensorsTensor {
        guard let found = tensors[name] else {
            throw Failure(.data, "\(directory) holds no tensor `\(name)`", advice: "the model is not complete")
        }
        return found.tensor
    }

    /// Reads a tensor piece by piece, for what `read` throws.
    func requireFinite(_ name: String) throws(Failure) {
        let count = try stored(name).count, piece = 1 << 22
        for start in stride(from: 0, to: count, by: piece) { _ = try read(name, start..<min(start + piece, count)) }
    }

    /// Elements `range` of a tensor, row-major; all of them if nothing is said.
    /// - Throws: `data` if one is NaN, infinite or beyond `largestWeight`: no model computes with it, whoever saved it
    func read(_ name: String, _ range: Range<Int>? = nil) throws(Failure) -> Vector<Float> {
        let tensor = try stored(name)
        guard let file = tensors[name]?.file else { return Vector(count: 0) }
        let range = range ?? 0..<tensor.count, values = try file.read(tensor, range)
        guard let index = values.span.firstIndex(from: largestWeight) else { return values }
        throw Failure(
            .data,
            "\(file.path): element \(range.lowerBound + index) of `\(name.prefix(200))` is "
                + "\(values[index]); a weight is a number of magnitude below \(largestWeight)",
            advice: "training or saving went wrong there: take an earlier checkpoint of that model")
    }

    /// Whether two tensors have the same shape and numbers, bit for bit.
    func areEqual(_ a: String, _ b: String) throws(Failure) -> Bool {
        guard try stored(a).shape == stored(b).shape else { return false }
        let count = try stored(a).count, piece = 1 << 22
        for start in stride(from: 0, to: count, by: piece) {
            let range = start..<min(start + piece, count)
            let (left, right) = (try read(a, range), try read(b, range))
            guard (0..<range.count).allSatisfy({ left[$0].bitPattern == right[$0].bitPattern }) else { return false }
        }
        return true
    }

    /// Whether a tensor holds nothing but zeros, of either sign.
    func isZero(_ name: String) throws(Failure) -> Bool {
        let count = try stored(name).count, piece = 1 << 22
        for start in stride(from: 0, to: count, by: piece) {
            let values = try read(name, start..<min(start + piece, count))
            // Bits, all together: a thread may take denormals for zeros, and the compiler turns a comparison of one number's
            // bits with zero into one of the number.
            var bits: UInt32 = 0
            for i in 0..<values.count { bits |= values[i].bitPattern & 0x7FFF_FFFF }
            guard bits == 0 else { return false }
        }
        return true
    }
}
