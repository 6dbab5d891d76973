import JSON
import Diagnostics
import Platform

/// The keys of a `config.json`, each asked for once; what nobody asked for is refused, because a setting that is
/// ignored is a model that is wrong.
struct ConfigurationKeys {
    private let path: String
    private var rest: [String: JSONValue]
    private let prefix: String

    init(_ values: [String: JSONValue], path: String, prefix: String = "") {
        self.path = path
        self.prefix = prefix
        rest = values
    }

    func failure(_ key: String, _ complaint: String, advice: String? = nil) -> Failure {
        Failure(.data, "\(path): `\(prefix)\(key)` \(complaint)", advice: advice)
    }

    /// Nil if the key is missing or null.
    mutating func value(_ key: String) -> JSONValue? {
        guard let value = rest.removeValue(forKey: key), value != .null else { return nil }
        return value
    }

    /// Whether the file says that there is no such thing, which is more than to be silent.
    func isNull(_ key: String) -> Bool { rest[key] == .null }

    mutating func integer(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
    ) throws(Failure) -> Int {
        let value: Int
        switch self.value(key) {
        case nil:
            guard let fallback else { throw failure(key, "is missing; a whole number was expected") }
            value = fallback
        case .integer(let found): value = found
        case let other?: throw failure(key, "is \(other.inWords); a whole number was expected")
        }
        guard range.contains(value) else {
            throw failure(key, "is \(value); \(range.lowerBound) to \(range.upperBound) can be taken over")
        }
        return value
    }

    mutating func number(
        _ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>
    ) throws(Failure) -> Double {
        let value: Double
        switch self.value(key) {
        case nil:
            guard let fallback else { throw failure(key, "is missing; a number was expected") }
            value = fallback
        case .integer(let found): value = Double(found)
        case .number(let found): value = found
        case let other?: throw failure(key, "is \(other.inWords); a number was expected")
        }
        guard range.contains(value) else {
            throw failure(key, "is \(value); \(range.lowerBound) to \(range.upperBound) can be taken over")
        }
        return value
    }

    mutating func boolean(_ key: String, default fallback: Bool) throws(Failure) -> Bool {
        switch value(key) {
        case nil: return fallback
        case .boolean(let found): return found
        case let other?: throw failure(key, "is \(other.inWords); true or false was expected")
        }
    }

    /// A list of whole numbers; empty if the key is missing.
    mutating func integers(_ key: String) throws(Failure) -> [Int] {
        guard let value = value(key) else { return [] }
        guard case .list(let list) = value else { throw failure(key, "is \(value.inWords); a list was expected") }
        var numbers: [Int] = []
        for entry in list {
            guard case .integer(let number) = entry else {
                throw failure(key, "has \(entry.inWords); whole numbers were expected")
            }
            numbers.append(number)
        }
        return numbers
    }

    mutating func text(_ key: String) throws(Failure) -> String {
        guard let value = value(key), case .text(let found) = value else {
            throw failure(key, "is missing or no text")
        }
        return found
    }

    /// A part of the file with keys of its own; nil if it is missing.
    mutating func part(_ key: String) throws(Failure) -> ConfigurationKeys? {
        guard let value = value(key) else { return nil }
        guard case .object(let values) = value else { throw failure(key, "is \(value.inWords) instead of an object") }
        return ConfigurationKeys(values, path: path, prefix: "\(prefix)\(key).")
    }

    /// - Parameter feature: what another value would ask for, for the message
    mutating func require(_ key: String, _ allowed: JSONValue..., feature: String) throws(Failure) {
        guard let value = value(key), !allowed.contains(value) else { return }
        throw failure(key, "is \(value.inWords): \(feature) is not supported")
    }

    /// Keys that change nothing about what the model computes.
    mutating func ignore(_ keys: [String]) {
        for key in keys { rest[key] = nil }
    }

    /// - Throws: naming the first key that was not asked for, unless it says no
    func refuseOthers() throws(Failure) {
        let none: [JSONValue] = [.null, .boolean(false), .list([]), .object([:])]
        guard let key = rest.keys.sorted().first(where: { !none.contains(rest[$0] ?? .null) }) else { return }
        throw failure(
            String(key.prefix(200)), "is \(rest[key]?.inWords ?? ""): a setting that is not known here",
            advice: "if it changes nothing about the model, remove it from the file")
    }
}
