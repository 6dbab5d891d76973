import Foundation

/// A key that stands twice in one object: Foundation silently takes one of the two, and another program the other.
enum RepeatedKey {
    /// - Parameter bytes: valid JSON
    static func find(in bytes: [UInt8]) -> String? {
        // The keys met so far of every object that is open, nothing for an array.
        var open: [Set<[UInt8]>?] = []
        var place = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "{"): open.append([])
            case UInt8(ascii: "["): open.append(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: "\""):
                let end = endOfText(in: bytes, from: place)
                if isKey(bytes, endingAt: end), let last = open.indices.last {
                    // Bytes: texts that Unicode holds for equal, such as é in one character and in two, are different keys.
                    let key = text(bytes[place..<end])
                    if open[last]?.insert(Array(key.utf8)).inserted == false { return key }
                }
                place = end - 1
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Just behind the closing quote.
    static func endOfText(in bytes: [UInt8], from start: Int) -> Int {
        var place = start + 1
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(place + 1, bytes.count)
    }

    static func isKey(_ bytes: [UInt8], endingAt end: Int) -> Bool {
        var place = end
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
        return place < bytes.count && bytes[place] == UInt8(ascii: ":")
    }

    static func text(_ quoted: ArraySlice<UInt8>) -> String {
        guard quoted.contains(UInt8(ascii: "\\")) else {
            return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        return (try? JSONDecoder().decode(String.self, from: Data(quoted))) ?? String(decoding: quoted, as: UTF8.self)
    }
}
