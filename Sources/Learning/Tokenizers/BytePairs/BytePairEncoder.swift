/// Encodes by a `BytePairTokenizer`, remembering the tokens of the pre-tokens it has met.
struct BytePairEncoder: TokenEncoder {
    private let preTokenizer: PreTokenizer
    private let wholeWords: TokenTable?
    private let tokenOfByte: [UInt32]
    /// The tokens of characters; nil if every byte is merged by itself.
    private let characters: TokenTable?
    private var merger: BytePairMerger
    private var short = ShortWords()
    private var met = ByteStringTable()
    /// Hashes of pre-tokens met lately: one is remembered when it comes again, because most of those that do not would fill the memory.
    private var metOnce = [UInt32](repeating: 0, count: 1 << 14)
    /// Tokens of the pre-tokens in `met`, end to end, and where each one's end.
    private var remembered: [UInt32] = []
    private var ends: [Int] = []

    /// Longer pre-tokens are too rare to be worth remembering.
    private static let longestRemembered = 48
    /// The memory forgets everything when it holds more bytes of pre-tokens than this.
    private static let memory = 8 << 20

    init(_ tokenizer: BytePairTokenizer) {
        preTokenizer = PreTokenizer(tokenizer.pattern)
        wholeWords = tokenizer.wholeWords
        tokenOfByte = tokenizer.tokenOfByte
        characters = tokenizer.characters
        merger = BytePairMerger(tokenizer.merges, tokenOfByte: tokenizer.tokenOfByte)
    }

    mutating func encode(_ text: Span<UInt8>, isEnd: Bool, into tokens: inout [UInt32]) -> Int {
        var position = 0
        while position < text.count, let end = preTokenizer.end(of: text, from: position, isWhole: isEnd) {
            if end - position <= ShortWords.longest {
                recallShort(text, position..<end, into: &tokens)
            } else if end - position <= Self.longestRemembered {
                recall(text, position..<end, into: &tokens)
            } else {
                merge(text, position..<end)
                tokens.append(contentsOf: merger.symbols)
            }
            position = end
        }
        return position
    }

    @inline(__always)
    private mutating func recallShort(_ text: Span<UInt8>, _ range: Range<Int>, into tokens: inout [UInt32]) {
        let bytes = text.word(range)
        guard !short.append(bytes, range.count, to: &tokens) else { return }
        let start = tokens.count
        recall(text, range, into: &tokens)
        short.keep(bytes, range.count, tokens[start...])
    }

    @inline(__always)
    private mutating func recall(_ text: Span<UInt8>, _ range: Range<Int>, into tokens: inout [UInt32]) {
        let key = met.key(of: text, range)
        if let index = met.find(key, text, range) {
            for i in (index == 0 ? 0 : ends[index - 1])..<ends[index] { tokens.append(remembered[i]) }
            return
        }
        merge(text, range)
        tokens.append(contentsOf: merger.symbols)
        let place = Int(key.hash >> 18)
        guard metOnce[place] == key.hash else {
            metOnce[place] = key.hash
            return
        }
        if met.byteCount > Self.memory { forget() }
        _ = met.insert(key, text, range)
        remembered.append(contentsOf: merger.symbols)
        ends.append(remembered.count)
    }

    private mutating func forget() {
        met = ByteStringTable()
        remembered.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    private mutating func merge(_ text: Span<UInt8>, _ range: Range<Int>) {
        if let token = wholeWords?[text, range] {
            merger.load(UInt32(token))
            return
        }
        if let characters {
            merger.merge(symbols(text, range, characters))
        } else {
            merger.merge(text, range)
        }
    }

    /// A token for each character that has one, and one for each byte of the others.
    private func symbols(_ text: Span<UInt8>, _ range: Range<Int>, _ characters: TokenTable) -> [UInt32] {
        var symbols: [UInt32] = [], place = range.lowerBound
        while place < range.upperBound {
            let length = text[place] < 0x80 ? 1 : text.decodedScalar(at: place)?.length
            if let length, let token = characters[text, place..<place + length] {
                symbols.append(UInt32(token))
            } else {
                for i in place..<place + (length ?? 1) { symbols.append(tokenOfByte[Int(text[i])]) }
            }
            place += length ?? 1
        }
        return symbols
    }
}
