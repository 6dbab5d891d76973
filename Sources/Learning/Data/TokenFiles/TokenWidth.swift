import Platform

/// How a token is stored.
enum TokenWidth: Int {
    case one = 1
    case two = 2
    case four = 4
    case eight = 8

    /// The width in which tokens of a vocabulary of `size` entries are stored: two bytes where they suffice, otherwise four.
    init(ofVocabulary size: Int) { self = size <= 1 << 16 ? .two : .four }

    /// The width that a name like `train.u32.bin` gives.
    init?(inNameOf path: String) {
        let words = path.lowercased().split(separator: ".").suffix(2)
        guard words.count == 2, let word = words.first else { return nil }
        switch word {
        case "u16": self = .two
        case "u32", "i32": self = .four
        case "u64", "i64": self = .eight
        default: return nil
        }
    }
}

/// What bare tokens look like when they are read as 16 bits: of a wider number that is a token, all 16-bit parts but the
/// lowest are nearly nothing.
struct TokenParts {
    /// Most of the numbers that are looked at; they are taken from the beginning.
    private static let most = 1 << 20
    /// Fewer 16-bit numbers than this tell nothing.
    private static let least = 8
    /// The second part of a token of a vocabulary of at most 2^20 entries.
    private static let largestSecondPart = 15

    /// Of the 16-bit numbers at places 0, 1, 2 and 3 of every four, the largest.
    private var largest = [0, 0, 0, 0]
    private let count: Int

    /// - Parameter start: the 16-bit number to begin with
    init(_ file: MappedFile, from start: Int = 0) {
        count = min(file.count / 2 - start, Self.most)
        let numbers = file.view(of: UInt16.self, at: 2 * start, count: count)
        for i in 0..<count { largest[i & 3] = max(largest[i & 3], Int(UInt16(littleEndian: numbers[i]))) }
    }

    /// 16 bits unless the numbers are wider without doubt.
    var width: TokenWidth {
        let limit = Self.largestSecondPart
        guard tells, largest[1] <= limit, largest[3] <= limit, largest[0] > 0 else { return .two }
        if largest[2] == 0, largest[3] == 0 { return largest[1] == 0 || largest[0] > limit ? .eight : .two }
        if largest[1] == 0, largest[3] == 0 { return .four }
        return largest[0] > limit && largest[2] > limit ? .four : .two
    }

    /// Whether there are enough numbers to tell anything.
    var tells: Bool { count >= Self.least }

    /// The width of numbers that are wide and have the most significant byte first; nil if they are not.
    var widthIfBigEndian: TokenWidth? {
        guard tells, largest[0] == 0, largest[2] == 0, largest[3] > 0 else { return nil }
        return largest[1] == 0 ? .eight : .four
    }

    /// The width of the tokens in the second half of a file, where they are wide without doubt; nil if they are not.
    ///
    /// A header in front of wide tokens hides their width from whoever looks at the beginning: its numbers are large, and it
    /// may move all that follows by an odd number of 16-bit places.
    static func widthBehindHeader(of file: MappedFile) -> TokenWidth? {
        let middle = file.count / 4
        guard middle >= 8 * least else { return nil }
        return (0..<4).lazy.map { TokenParts(file, from: middle + $0).width }.first { $0 != .two }
    }
}
