import FoundationEssentials

/// Takes the `text` field out of one line of JSON. If it stands there twice the last one counts, as for other readers of
/// JSON.
struct JSONTextReader {
    /// The text of the last line read; empty for a blank line.
    private(set) var text: [UInt8] = []
    /// Whether the last line read is a whole JSON object, with a text or without.
    private(set) var isObject = false
    private let decoder = JSONDecoder()
    private static let field = Array("text".utf8)

    private struct Line: Decodable {
        let text: String
    }

    /// Any JSON object.
    private struct AnyObject: Decodable {
        private enum NoKey: CodingKey {}
        init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: NoKey.self) }
    }

    static func isBlank(_ line: Span<UInt8>) -> Bool {
        line.indices.allSatisfy { [0x20, 0x09, 0x0D].contains(line[$0]) }
    }

    /// - Returns: what is wrong with the line, nil if nothing
    mutating func read(_ line: Span<UInt8>) -> String? {
        text.removeAll(keepingCapacity: true)
        isObject = false
        guard !Self.isBlank(line) else { return nil }
        let bytes = line.array
        do {
            text.append(contentsOf: try decode(bytes).utf8)
            isObject = true
            return nil
        } catch DecodingError.keyNotFound {
            isObject = true
            return "there is no field `text`; \(Self.fields(of: bytes))"
        } catch DecodingError.typeMismatch(_, let context) where context.codingPath.isEmpty {
            return "not a JSON object"
        } catch DecodingError.typeMismatch, DecodingError.valueNotFound {
            isObject = true
            return "the field `text` is not a string"
        } catch {
            return "not valid JSON"
        }
    }

    private func decode(_ bytes: [UInt8]) throws -> String {
        var members = JSONMembers(of: bytes), found = 0, value = 0..<0
        while let member = members.next() {
            guard Self.isField(bytes[member.key]) else { continue }
            found += 1
            value = member.value
        }
        if found <= 1 { return try decoder.decode(Line.self, from: Data(bytes)).text }
        _ = try decoder.decode(AnyObject.self, from: Data(bytes))
        let list = [UInt8(ascii: "[")] + bytes[value] + [UInt8(ascii: "]")]
        return try decoder.decode([String].self, from: Data(list))[0]
    }

    private static func isField(_ key: ArraySlice<UInt8>) -> Bool {
        key.elementsEqual(field) || key.contains(UInt8(ascii: "\\")) && JSONMembers.name(key) == "text"
    }

    private static func fields(of bytes: [UInt8]) -> String {
        var members = JSONMembers(of: bytes), names: [String] = []
        while let member = members.next() {
            let name = "`\(JSONMembers.name(bytes[member.key]))`"
            if !names.contains(name) { names.append(name) }
        }
        guard !names.isEmpty else { return "the object is empty" }
        let shown = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
        return "the fields are \(shown)"
    }
}
