import Diagnostics

/// The lines of a stored tokenizer, one after the other.
struct StoredLines: ~Escapable {
    private let file: Span<UInt8>
    private let name: String
    private var place = 0
    private var line = 0

    @_lifetime(copy file)
    init(_ file: Span<UInt8>, _ name: String) {
        self.file = file
        self.name = name
    }

    func failure(_ words: String) -> Failure {
        Failure(
            .data, "\(name): line \(line) of the stored tokenizer \(words)",
            advice: "it was damaged, or a later version wrote it")
    }

    private mutating func nextRange() throws(Failure) -> Range<Int> {
        let start = place
        line += 1
        while place < file.count, file[place] != UInt8(ascii: "\n") { place += 1 }
        guard place < file.count else { throw failure("is missing") }
        place += 1
        return start..<place - 1
    }

    mutating func next() throws(Failure) -> String {
        let range = try nextRange()
        return String(decoding: range.map { file[$0] }, as: UTF8.self)
    }

    /// The rest of a line that begins with `key` and a blank.
    mutating func value(of key: String) throws(Failure) -> String {
        let text = try next()
        guard text.hasPrefix(key + " ") else { throw failure("does not begin with `\(key)`") }
        return String(text.dropFirst(key.count + 1))
    }

    mutating func flag(_ key: String) throws(Failure) -> Bool {
        guard let flag = Bool(try value(of: key)) else { throw failure("is neither true nor false") }
        return flag
    }

    mutating func number(of key: String, upTo most: Int) throws(Failure) -> Int {
        guard let number = Int(try value(of: key)), 0...most ~= number else {
            throw failure("is no number from 0 to \(most)")
        }
        return number
    }

    /// A line of two numbers, which is what most lines are.
    mutating func pair() throws(Failure) -> TokenPair {
        let range = try nextRange()
        var numbers: [UInt32] = [0, 0], current = 0
        for place in range {
            let byte = file[place]
            if byte == UInt8(ascii: " "), current == 0 {
                current = 1
            } else {
                let digit = byte &- UInt8(ascii: "0")
                guard digit < 10, numbers[current] <= UInt32(BytePairVocabulary.largestID) else {
                    throw failure("is no merge")
                }
                numbers[current] = 10 * numbers[current] + UInt32(digit)
            }
        }
        guard current == 1 else { throw failure("is no merge") }
        return TokenPair(left: numbers[0], right: numbers[1])
    }
}
