import Configuration
import Data
import Diagnostics
import Testing

@Suite("Where documents begin in windows") struct DocumentStartsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Documents of so many tokens, the end of text included: letters, `a` in the first, `b` in the second.
    private func corpus(_ lengths: [Int], validation: ValidationSplit = .none) throws -> Corpus {
        let lines = lengths.enumerated().map { index, length in
            let text = String(repeating: Character(UnicodeScalar(UInt8(97 + index % 26))), count: length - 1)
            return "{\"text\": \"\(text)\"}\n"
        }
        return try DataTests.corpus([folder.write(lines.joined(), to: "a.jsonl")], validation: validation, in: folder)
    }

    private func starts(_ dataset: TokenDataset, from position: Int, count: Int) -> [Int] {
        var starts = [Int32](repeating: -1, count: count)
        do {
            var span = starts.mutableSpan
            dataset.documentStarts(from: position, into: &span)
        }
        return starts.map(Int.init)
    }

    /// Behind each end of text of the window.
    private func expected(_ tokens: ArraySlice<Int>) -> [Int] {
        var start = 0
        return tokens.enumerated().map { index, token in
            defer { if token == 256 { start = index + 1 } }
            return start
        }
    }

    @Test(
        "in every window a token's document begins behind the end of text before it",
        arguments: [[1, 1, 1], [2, 5, 1, 1, 30, 3], [64], Array(repeating: 3, count: 40), [17, 1, 17, 2]])
    func everyWindow(lengths: [Int]) throws {
        let dataset = try corpus(lengths.map { max(2, $0) }).train[0], tokens = dataset.array
        for count in [1, 2, 7, 16] where count <= tokens.count {
            for position in 0...tokens.count - count {
                let window = tokens[position..<position + count]
                #expect(starts(dataset, from: position, count: count) == expected(window))
            }
        }
    }

    @Test("the parts of a split begin documents where they are cut", arguments: [0.2, 0.5, 0.8])
    func splits(fraction: Double) throws {
        let lengths = (0..<30).map { 2 + $0 % 7 }
        let hashed = try corpus(lengths, validation: .hash(fraction: fraction))
        for dataset in hashed.train + hashed.validation {
            #expect(starts(dataset, from: 0, count: dataset.count) == expected(dataset.array[...]))
        }
        let cut = try corpus([20, 20], validation: .tail(share: 0.25 * fraction + 0.3))
        let validation = try #require(cut.validation.first)
        #expect(starts(validation, from: 0, count: validation.count) == expected(validation.array[...]))
        #expect(starts(validation, from: 1, count: 3) == [0, 0, 0])
    }

    @Test("windows of training, mixtures and validation say what their datasets say") func windows() throws {
        let corpus = try corpus((0..<60).map { 2 + $0 % 9 }), dataset = corpus.train[0]
        let source = DataSource(paths: [folder("a.jsonl")], amount: .weight(1, repeats: true))
        let mixture = try Mixture([dataset, dataset], of: [source, source], context: 12, seed: 4)
        let validation = try EvaluationWindows([dataset], context: 12)
        for n in 0..<20 {
            let (index, number) = mixture.place(ofSequence: n)
            let start = mixture.parts[index].windows.start(ofSequence: number)
            var found = [Int32](repeating: -1, count: 12), held = found
            do {
                var span = found.mutableSpan, other = held.mutableSpan
                mixture.documentStarts(ofSequence: n, into: &span)
                validation.documentStarts(ofWindow: n, into: &other)
            }
            #expect(found.map(Int.init) == starts(dataset, from: start, count: 12))
            #expect(held.map(Int.init) == starts(dataset, from: 12 * n, count: 12))
        }
    }
}
