import FoundationEssentials

/// The members of a JSON object, in the order in which they stand and also those whose key stands twice. It checks nothing:
/// of what is no JSON it finds something or nothing.
struct JSONMembers {
    private let bytes: [UInt8]
    private var place: Int

    init(of bytes: [UInt8]) {
        self.bytes = bytes
        place = (bytes.firstIndex(of: UInt8(ascii: "{")) ?? bytes.count) + 1
    }

    /// Where the next key stands, without its quotes, and its value.
    mutating func next() -> (key: Range<Int>, value: Range<Int>)? {
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") { place += 1 }
        guard place < bytes.count else { return nil }
        let end = endOfText(from: place)
        let key = place + 1..<max(place + 1, end - 1)
        place = end
        while place < bytes.count, bytes[place] != UInt8(ascii: ":") { place += 1 }
        let start = min(place + 1, bytes.count)
        place = start
        skipValue()
        return (key, start..<place)
    }

    /// To the comma behind the value, or to the end of the object.
    private mutating func skipValue() {
        var depth = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return }
                depth -= 1
            case UInt8(ascii: ","):
                if depth == 0 { return }
            case UInt8(ascii: "\""):
                place = endOfText(from: place)
                continue
            default: break
            }
            place += 1
        }
    }

    /// Just behind the closing quote.
    private func endOfText(from start: Int) -> Int {
        var end = start + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(end + 1, bytes.count)
    }

    /// The names of all members, each once, as they may be shown.
    static func names(in bytes: [UInt8]) -> [String] {
        var members = JSONMembers(of: bytes), names: [String] = []
        while let member = members.next() {
            let name = name(bytes[member.key])
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// The same bytes with a zero in place of every `NaN`, `Infinity` and `-Infinity` that stands where a value stands; nil if there
    /// is none. Python writes them, and no JSON has them.
    static func withoutNonFiniteNumbers(_ bytes: [UInt8]) -> [UInt8]? {
        var result = bytes, place = 0, isChanged = false
        let scanner = JSONMembers(of: bytes)
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "\"") {
                place = scanner.endOfText(from: place)
                continue
            }
            let isValue = place > 0 && Array(":[, \t".utf8).contains(bytes[place - 1])
            let rest = bytes[place...]
            guard isValue, let word = nonFinite.first(where: { rest.starts(with: $0) }) else {
                place += 1
                continue
            }
            result.replaceSubrange(
                place..<place + word.count, with: "0".utf8 + Array(repeating: 0x20, count: word.count - 1))
            place += word.count
            isChanged = true
        }
        return isChanged ? result : nil
    }

    private static let nonFinite = ["NaN", "Infinity", "-Infinity"].map { Array($0.utf8) }

    /// The value of the member that `path` names in an object: `a.b` is the member of this name or else, in the object that the member
    /// `a` is, the member `b`. Of members of one name the last counts. Nil if there is none.
    static func value(of path: ArraySlice<UInt8>, in object: [UInt8]) -> [UInt8]? {
        var members = JSONMembers(of: object), value: Range<Int>?
        var outer: [(rest: ArraySlice<UInt8>, value: Range<Int>)] = []
        while let member = members.next() {
            let name = unescaped(object[member.key])
            if name.elementsEqual(path) {
                value = member.value
            } else if path.starts(with: name), path.dropFirst(name.count).first == UInt8(ascii: ".") {
                outer.append((path.dropFirst(name.count + 1), member.value))
            }
        }
        if let value { return Array(object[value]) }
        for (rest, value) in outer.reversed() {
            let inner = Array(object[value].drop { $0 <= UInt8(ascii: " ") })
            guard inner.first == UInt8(ascii: "{") else { continue }
            if let found = Self.value(of: rest, in: inner) { return found }
        }
        return nil
    }

    /// The bytes of a key as it reads.
    private static func unescaped(_ key: ArraySlice<UInt8>) -> [UInt8] {
        guard key.contains(UInt8(ascii: "\\")) else { return Array(key) }
        let quoted = [UInt8(ascii: "\"")] + key + [UInt8(ascii: "\"")]
        return (try? JSONDecoder().decode(String.self, from: Data(quoted))).map { Array($0.utf8) } ?? Array(key)
    }

    /// A key as it reads, fit to be shown: without control characters, and not too long.
    static func name(_ key: ArraySlice<UInt8>) -> String {
        let name = String(decoding: unescaped(key), as: UTF8.self)
        let shown = name.unicodeScalars.prefix(40).map { $0.properties.generalCategory == .control ? "?" : $0 }
        return String(String.UnicodeScalarView(shown))
    }
}
