import FoundationEssentials

/// Names under which published corpora have their texts. Of a file it is the first of them that its first line or its schema has.
let usualTextFields = ["text", "content", "raw_content", "body"]

/// Takes the text out of one line of JSON: the field `text`, or another, which may lie inside another object (`a.b`). If it stands there twice the last one counts, as for
/// other readers of JSON. Numbers that are not finite are read as Python writes them.
struct JSONTextReader {
    /// The field that holds the text.
    let field: String
    /// The text of the last line read; empty for a blank line.
    private(set) var text: [UInt8] = []
    /// Whether the last line read is a whole JSON object, with a text or without.
    private(set) var isObject = false
    private let decoder = JSONDecoder()
    private let fieldBytes: [UInt8]

    init(field: String) {
        self.field = field
        fieldBytes = Array(field.utf8)
    }

    /// Any JSON object.
    private struct AnyObject: Decodable {
        private enum NoKey: CodingKey {}
        init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: NoKey.self) }
    }

    static func isBlank(_ line: [UInt8]) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }

    /// - Returns: what is wrong with the line, nil if nothing
    mutating func read(_ line: [UInt8]) -> String? {
        text.removeAll(keepingCapacity: true)
        isObject = false
        guard !Self.isBlank(line) else { return nil }
        do {
            guard let found = try decode(line) else {
                isObject = true
                return "there is no field `\(field)`; \(Self.inWords(JSONMembers.names(in: line)))"
            }
            text.append(contentsOf: found.utf8)
            isObject = true
            return nil
        } catch Complaint.notAnObject {
            return "not a JSON object"
        } catch Complaint.notAString {
            isObject = true
            return "the field `\(field)` is not a string"
        } catch {
            return "not valid JSON"
        }
    }

    private enum Complaint: Error { case notAnObject, notAString }

    /// - Returns: nil if there is no such field
    private func decode(_ line: [UInt8]) throws -> String? {
        let bytes = try requireObject(line)
        guard let value = JSONMembers.value(of: fieldBytes[...], in: bytes) else { return nil }
        let list = [UInt8(ascii: "[")] + value + [UInt8(ascii: "]")]
        do {
            return try decoder.decode([String].self, from: Data(list))[0]
        } catch DecodingError.typeMismatch {
            throw Complaint.notAString
        } catch DecodingError.valueNotFound {
            throw Complaint.notAString
        }
    }

    /// - Returns: the line, with zeros for what JSON has no numbers for
    private func requireObject(_ line: [UInt8]) throws -> [UInt8] {
        do {
            _ = try decoder.decode(AnyObject.self, from: Data(line))
            return line
        } catch DecodingError.typeMismatch {
            throw Complaint.notAnObject
        } catch {
            guard let finite = JSONMembers.withoutNonFiniteNumbers(line) else { throw error }
            _ = try decoder.decode(AnyObject.self, from: Data(finite))
            return finite
        }
    }

    private static func inWords(_ names: [String]) -> String {
        guard !names.isEmpty else { return "the object is empty" }
        let shown = names.prefix(12).map { "`\($0)`" }.joined(separator: ", ") + (names.count > 12 ? ", …" : "")
        return "the fields are \(shown)"
    }
}
