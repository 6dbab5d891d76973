#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Takes the `text` field out of one line of JSON.
struct JSONTextReader {
    /// The text of the last line read; empty for a blank line.
    private(set) var text: [UInt8] = []
    private let decoder = JSONDecoder()

    private struct Line: Decodable {
        let text: String
    }

    /// - Returns: what is wrong with the line, nil if nothing
    mutating func read(_ line: Span<UInt8>) -> String? {
        text.removeAll(keepingCapacity: true)
        let isBlank = line.indices.allSatisfy { [0x20, 0x09, 0x0D].contains(line[$0]) }
        guard !isBlank else { return nil }
        do {
            text.append(contentsOf: try decoder.decode(Line.self, from: Data(line.array)).text.utf8)
            return nil
        } catch DecodingError.keyNotFound {
            return "there is no field `text`"
        } catch DecodingError.typeMismatch(_, let context) where context.codingPath.isEmpty {
            return "not a JSON object"
        } catch DecodingError.typeMismatch, DecodingError.valueNotFound {
            return "the field `text` is not a string"
        } catch {
            return "not valid JSON"
        }
    }
}
