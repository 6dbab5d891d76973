import Diagnostics
import Foundation

/// The fields of a record under their names in `metrics.jsonl` and in its order; a list, which has a value for each layer
/// or source, is several fields. The loads of experts, lists of lists, are left out.
struct FlatRecord {
    enum Value: Equatable {
        case number(Double)
        case text(String)
        case flag(Bool)
    }

    struct Field {
        let name: String
        /// The layer or source; nil for a field of the whole step.
        let index: Int?
        /// Nil for a source that has none.
        let value: Value?
    }

    /// Of the fields that a flat record may have.
    static let keys = StepRecord.CodingKeys.allCases.filter { $0 != .expertLoad }

    private let entries: [String: Entry]

    /// - Parameter path: the file that it is for, for messages
    /// - Throws: `software` if the record cannot be encoded
    init(_ record: StepRecord, for path: String) throws(Failure) {
        var record = record
        record.expertLoad = nil
        let line = try record.encoded(for: path)
        do {
            entries = try JSONDecoder().decode([String: Entry].self, from: line)
        } catch {
            throw Failure(.software, "\(path): the record of step \(record.step) has no fields: \(error)")
        }
    }

    /// The values of a field: none if the record does not have it, several if it is a list.
    subscript(key: StepRecord.CodingKeys) -> [Field] {
        switch entries[key.stringValue] {
        case .one(let value)?: [Field(name: key.stringValue, index: nil, value: value)]
        case .list(let values)?:
            values.enumerated().map { Field(name: key.stringValue, index: $0, value: $1) }
        case nil: []
        }
    }

    /// All fields that the record has.
    var fields: [Field] { Self.keys.flatMap { self[$0] } }

    private enum Entry: Decodable {
        case one(Value)
        case list([Value?])

        init(from decoder: any Decoder) throws {
            if let values = try? [Value?](from: decoder) {
                self = .list(values)
            } else {
                self = .one(try Value(from: decoder))
            }
        }
    }
}

extension FlatRecord.Value: Decodable {
    /// A number that is not finite is one of the words of `JSONEncoder.NonConformingFloatEncodingStrategy.ofRecords`.
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            let text = try container.decode(String.self)
            switch text {
            case "NaN": self = .number(.nan)
            case "Infinity": self = .number(.infinity)
            case "-Infinity": self = .number(-.infinity)
            default: self = .text(text)
            }
        }
    }
}
