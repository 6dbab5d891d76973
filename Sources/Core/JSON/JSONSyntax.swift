/// Finds where a text stops being JSON (RFC 8259), which Foundation's decoder does not say.
struct JSONSyntax {
    private struct Fault: Error {
        var place: Int
        var expected: String
    }

    /// As deep as Foundation's decoder goes.
    private static let deepest = 512

    private let bytes: [UInt8]
    private var place = 0
    /// Numbers that are no `Int`.
    private var others: [Range<Int>] = []

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What is wrong with a text that could not be decoded, and where.
    static func complaint(of bytes: [UInt8]) -> String {
        var syntax = JSONSyntax(bytes)
        do throws(Fault) {
            try syntax.document()
        } catch {
            return syntax.complaint(error)
        }
        guard let number = syntax.others.first else { return "not JSON that can be decoded" }
        let text = String(decoding: bytes[number].prefix(40), as: UTF8.self)
        return "a number is no whole number from -2^63 to 2^63 - 1 where one is needed; the first such number is "
            + "\(text) in \(syntax.position(of: number.lowerBound))"
    }

    private func complaint(_ fault: Fault) -> String {
        guard fault.place < bytes.count else {
            return "not JSON: the text ends in \(position(of: bytes.count)), where \(fault.expected) should follow"
        }
        let found = bytes[fault.place]
        let shown = 0x21...0x7E ~= found ? "`\(Character(Unicode.Scalar(found)))`" : "the byte \(found)"
        return "not JSON: \(shown) in \(position(of: fault.place)), where \(fault.expected) should be"
    }

    private func position(of place: Int) -> String {
        let line = bytes[..<place].count { $0 == UInt8(ascii: "\n") } + 1
        let start = bytes[..<place].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return "line \(line), byte \(place - start + 1)"
    }

    private mutating func document() throws(Fault) {
        try value(depth: 0)
        skipBlanks()
        if place < bytes.count { throw Fault(place: place, expected: "the end of the text") }
    }

    private mutating func skipBlanks() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int) throws(Fault) {
        skipBlanks()
        guard depth < Self.deepest else { throw Fault(place: place, expected: "at most \(Self.deepest) levels") }
        if take("{") {
            try list(until: "}") { (syntax: inout JSONSyntax) throws(Fault) in
                try syntax.text("a key")
                syntax.skipBlanks()
                guard syntax.take(":") else { throw Fault(place: syntax.place, expected: "a colon") }
                try syntax.value(depth: depth + 1)
            }
        } else if take("[") {
            try list(until: "]") { (syntax: inout JSONSyntax) throws(Fault) in try syntax.value(depth: depth + 1) }
        } else if place < bytes.count, bytes[place] == UInt8(ascii: "\"") {
            try text("a text")
        } else {
            try word()
        }
    }

    private mutating func list(
        until end: Unicode.Scalar, _ element: (inout JSONSyntax) throws(Fault) -> Void
    ) throws(Fault) {
        skipBlanks()
        if take(end) { return }
        repeat {
            skipBlanks()
            try element(&self)
            skipBlanks()
        } while take(",")
        guard take(end) else { throw Fault(place: place, expected: "a comma or `\(end)`") }
    }

    private mutating func text(_ name: String) throws(Fault) {
        guard take("\"") else { throw Fault(place: place, expected: name) }
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            guard bytes[place] >= 0x20 else { throw Fault(place: place, expected: "a character or a quotation mark") }
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard take("\"") else { throw Fault(place: bytes.count, expected: "a quotation mark") }
    }

    /// `true`, `false`, `null` or a number.
    private mutating func word() throws(Fault) {
        let end = bytes[place...].firstIndex { [0x2C, 0x5D, 0x7D, 0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? bytes.count
        let word = String(decoding: bytes[place..<end], as: UTF8.self)
        guard ["true", "false", "null"].contains(word) || Self.isNumber(word) else {
            throw Fault(place: place, expected: "a value")
        }
        if Self.isNumber(word), Int(word) == nil { others.append(place..<end) }
        place = end
    }

    private static func isNumber(_ word: String) -> Bool {
        word.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
    }
}
