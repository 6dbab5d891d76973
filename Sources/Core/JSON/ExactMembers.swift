/// The members of an object whose keys are told apart by their bytes: Swift's `String`, and with it Foundation's decoder, holds é in one
/// character and in two for the same key.
package enum ExactMembers {
    /// The whole numbers that the object at `path` has as members, by the UTF-8 of their keys; nothing where there is no such object.
    /// - Parameters:
    ///   - bytes: valid JSON
    ///   - path: keys of objects, the outermost first
    package static func integers(in bytes: [UInt8], at path: [String]) -> [(key: [UInt8], value: Int)] {
        // The key under which each open object or array stands.
        var open: [[UInt8]] = [], key: [UInt8] = [], place = 0
        let wanted = [[]] + path.map { Array($0.utf8) }
        var members: [(key: [UInt8], value: Int)] = []
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open.append(key)
                key = []
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = open.popLast()
                key = []
            case UInt8(ascii: "\""):
                let end = RepeatedKey.endOfText(in: bytes, from: place)
                if RepeatedKey.isKey(bytes, endingAt: end) {
                    key = Array(RepeatedKey.text(bytes[place..<end]).utf8)
                }
                place = end - 1
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let number = bytes[place...].prefix { ![0x2C, 0x7D, 0x5D, 0x20, 0x09, 0x0A, 0x0D].contains($0) }
                if open == wanted, let value = Int(String(decoding: number, as: UTF8.self)) {
                    members.append((key, value))
                }
                place += number.count - 1
            default: break
            }
            place += 1
        }
        return members
    }
}
