import Data
import Tokenizers

/// The same rules as `BytePairTraining` and `BytePairEncoder`, done the slow way: everything recounted at every merge.
struct NaiveBytePairs {
    private(set) var spellings: [[UInt8]]
    private(set) var ranks: [[Int]: Int] = [:]

    /// Bytes only, in printable order.
    init() {
        let printing = [UInt8](33...126) + [UInt8](161...172) + [UInt8](174...255)
        let rest = [UInt8](0...32) + [UInt8](127...160) + [173]
        spellings = (printing + rest).map { [$0] }
    }

    mutating func learn(from text: [UInt8], merges: Int) {
        var words = preTokens(of: text).map { word in word.map { byte in spellings.firstIndex(of: [byte])! } }
        while ranks.count < merges {
            var counts: [[Int]: Int] = [:]
            for word in words {
                for pair in zip(word, word.dropFirst()) { counts[[pair.0, pair.1], default: 0] += 1 }
            }
            let candidates = counts.filter { !spellings.contains(spellings[$0.key[0]] + spellings[$0.key[1]]) }
            let best = candidates.min { a, b in
                a.value != b.value ? a.value > b.value : a.key.lexicographicallyPrecedes(b.key)
            }
            guard let best, best.value >= 2 else { return }
            add(best.key)
            words = words.map { replace(best.key, by: spellings.count - 1, in: $0) }
        }
    }

    private mutating func add(_ pair: [Int]) {
        ranks[pair] = ranks.count
        spellings.append(spellings[pair[0]] + spellings[pair[1]])
    }

    private func replace(_ pair: [Int], by token: Int, in word: [Int]) -> [Int] {
        var result: [Int] = [], i = 0
        while i < word.count {
            let matches = i + 1 < word.count && word[i] == pair[0] && word[i + 1] == pair[1]
            result.append(matches ? token : word[i])
            i += matches ? 2 : 1
        }
        return result
    }

    func encode(_ text: [UInt8]) -> [Int] {
        preTokens(of: text).flatMap { word in
            var symbols = word.map { byte in spellings.firstIndex(of: [byte])! }
            while true {
                let pairs = zip(symbols, symbols.dropFirst()).map { [$0.0, $0.1] }.filter { ranks[$0] != nil }
                guard let best = pairs.min(by: { ranks[$0]! < ranks[$1]! }) else { return symbols }
                symbols = replace(best, by: 256 + ranks[best]!, in: symbols)
            }
        }
    }

    /// The two tokens of each merge as bytes.
    var merges: [[[UInt8]]] {
        ranks.sorted { $0.value < $1.value }.map { [spellings[$0.key[0]], spellings[$0.key[1]]] }
    }
}

func preTokens(of text: [UInt8], by pattern: PreTokenPattern = .gpt2) -> [[UInt8]] {
    let span = text.span, preTokenizer = PreTokenizer(pattern)
    var result: [[UInt8]] = [], start = 0
    while start < text.count, let end = preTokenizer.end(of: span, from: start, isWhole: true) {
        result.append([UInt8](text[start..<end]))
        start = end
    }
    return result
}
