import Diagnostics
import Foundation
import Tensors

/// The tensors of a Hugging Face model: `model.safetensors`, or the files that `model.safetensors.index.json` names.
final class WeightFiles {
    let directory: String
    /// Every tensor once.
    let tensors: [String: (file: SafetensorsFile, tensor: SafetensorsTensor)]

    private static let single = "model.safetensors"
    private static let indexName = "model.safetensors.index.json"
    /// Bytes of the index.
    private static let limit = 1 << 25

    private struct Index: Decodable { var weight_map: [String: String] }

    init(_ directory: String) throws(Failure) {
        self.directory = directory
        let index = "\(directory)/\(Self.indexName)"
        guard FileManager.default.fileExists(atPath: index) else {
            let file = try SafetensorsFile("\(directory)/\(Self.single)")
            tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, (file, $0)) })
            return
        }
        let map = try JSONFile.decode(
            try JSONFile.read(index, limit: Self.limit), as: Index.self, from: index
        ).weight_map
        tensors = try Self.open(map, directory, index)
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

    /// Elements `range` of a tensor, row-major; all of them if nothing is said.
    func read(_ name: String, _ range: Range<Int>? = nil) throws(Failure) -> Vector<Float> {
        let tensor = try stored(name)
        guard let file = tensors[name]?.file else { return Vector(count: 0) }
        return try file.read(tensor, range ?? 0..<tensor.count)
    }
}
