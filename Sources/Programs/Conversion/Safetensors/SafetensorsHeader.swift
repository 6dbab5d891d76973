import JSON
package import Diagnostics
import Platform

/// How a safetensors file stores numbers.
package enum SafetensorsType: String, Sendable, CaseIterable {
    case float32 = "F32"
    case bfloat16 = "BF16"
    case float16 = "F16"

    package var bytes: Int { self == .float32 ? 4 : 2 }
}

/// A tensor as a file's header describes it.
package struct SafetensorsTensor: Sendable, Equatable {
    package var name: String
    package var type: SafetensorsType
    package var shape: [Int]
    /// First byte in the file.
    package var offset: Int

    package var count: Int { shape.reduce(1, *) }
}

/// The header of a safetensors file, taken apart and distrusted: https://huggingface.co/docs/safetensors, "Format".
package enum SafetensorsHeader {
    /// Bytes; a hundred thousand tensors need less.
    static let limit = 1 << 25
    private static let mostAxes = 8

    private struct Entry: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    /// What stands beside a name: a tensor, or the texts of `__metadata__`.
    private enum Item: Decodable {
        case tensor(Entry)
        case metadata

        init(from decoder: any Decoder) throws {
            if decoder.codingPath.last?.stringValue == "__metadata__" {
                _ = try decoder.singleValueContainer().decode([String: String].self)
                self = .metadata
            } else {
                self = .tensor(try Entry(from: decoder))
            }
        }
    }

    /// - Parameters:
    ///   - json: the header
    ///   - fileBytes: length of the file
    ///   - path: of the file, for messages
    /// - Returns: the tensors in the order in which they lie in the file
    /// - Throws: `data` unless every tensor is of a type we read, lies in the file, and no byte is left over or shared
    package static func tensors(json: [UInt8], fileBytes: Int, path: String) throws(Failure) -> [SafetensorsTensor] {
        let items = try JSONFile.decode(json, as: [String: Item].self, from: "\(path), header")
        let start = 8 + json.count, room = fileBytes - start
        var found: [(tensor: SafetensorsTensor, end: Int)] = []
        for (name, item) in items {
            guard case .tensor(let entry) = item else { continue }
            found.append(try tensor(name, entry, start: start, room: room, path))
        }
        found.sort { ($0.tensor.offset, $0.end, $0.tensor.name) < ($1.tensor.offset, $1.end, $1.tensor.name) }
        var end = start
        for (tensor, next) in found {
            guard tensor.offset == end else {
                let flaw = tensor.offset < end ? "overlaps the tensor before it" : "leaves a hole before it"
                throw Failure(.data, "\(path): `\(tensor.name.prefix(200))` \(flaw)")
            }
            end = next
        }
        guard end == fileBytes else {
            throw Failure(.data, "\(path) has \(fileBytes) bytes, but its tensors end at byte \(end)")
        }
        return found.map(\.tensor)
    }

    private static func tensor(
        _ name: String, _ entry: Entry, start: Int, room: Int, _ path: String
    ) throws(Failure) -> (tensor: SafetensorsTensor, end: Int) {
        let place = "\(path): `\(name.prefix(200))`"
        guard let type = SafetensorsType(rawValue: entry.dtype) else {
            throw Failure(
                .data, "\(place) is stored as \(entry.dtype.prefix(40))",
                advice: "weights are read as " + SafetensorsType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard entry.shape.count <= mostAxes, entry.shape.allSatisfy({ $0 >= 0 }) else {
            throw Failure(.data, "\(place) has no possible shape")
        }
        var bytes = type.bytes
        for extent in entry.shape {
            let product = bytes.multipliedReportingOverflow(by: extent)
            guard !product.overflow else { throw Failure(.data, "\(place) has more elements than can be counted") }
            bytes = product.partialValue
        }
        guard entry.data_offsets.count == 2, entry.data_offsets[0] >= 0, entry.data_offsets[1] <= room,
            entry.data_offsets[0] <= entry.data_offsets[1]
        else { throw Failure(.data, "\(place) does not lie in the file") }
        guard entry.data_offsets[1] - entry.data_offsets[0] == bytes else {
            throw Failure(
                .data,
                "\(place) has \(entry.data_offsets[1] - entry.data_offsets[0]) bytes, its shape wants \(bytes)")
        }
        let tensor = SafetensorsTensor(
            name: name, type: type, shape: entry.shape, offset: start + entry.data_offsets[0])
        return (tensor, start + entry.data_offsets[1])
    }
}
