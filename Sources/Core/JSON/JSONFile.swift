package import Diagnostics
import Foundation
import Platform

/// JSON that came from outside: read up to a limit, whole, every key of an object once.
package enum JSONFile {
    /// - Parameter limit: bytes; what parsing allocates is a small multiple of it
    /// - Throws: `noInput` if it cannot be read, `data` if it is longer than `limit`
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.noInput, "cannot open \(path)", advice: "a Hugging Face model is a directory of files")
        }
        let file = try RegularFile(path)
        guard file.size <= limit else {
            throw Failure(.data, "\(path) is longer than the \(limit) bytes that such a file may have")
        }
        return try file.contents(limit: limit)
    }

    /// - Parameter source: where the bytes come from, for messages
    /// - Throws: `data` for what is no JSON, has a key twice, or is not a `type`
    package static func decode<Value: Decodable>(
        _ bytes: [UInt8], as type: Value.Type, from source: String
    ) throws(Failure) -> Value {
        let value: Value
        do {
            value = try JSONDecoder().decode(type, from: Data(bytes))
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw Failure(.data, "\(source): \(JSONSyntax.complaint(of: bytes))")
        } catch {
            throw Failure(.data, "\(source): \(complaint(ofDecoding: error))")
        }
        if let key = RepeatedKey.find(in: bytes) {
            throw Failure(.data, "\(source): the key `\(key)` stands twice in one object")
        }
        return value
    }

    /// Sorted keys, so that the same contents are the same bytes.
    package static func encode(_ value: some Encodable, indented: Bool = true) throws(Failure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if indented { encoder.outputFormatting.insert(.prettyPrinted) }
        do {
            return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw Failure(.software, "cannot write JSON: \(error)")
        }
    }
}
