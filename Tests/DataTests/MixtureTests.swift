import Configuration
import Data
import Diagnostics
import Testing

@Suite("Mixtures of sources") struct MixtureTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Sources of letters, `a` repeated in the first, `b` in the second, of so many tokens with the end of text.
    private func mixture(_ sources: [(tokens: Int, amount: DataSource.Amount)], context: Int = 8, seed: UInt64 = 5)
        throws -> Mixture
    {
        var settings: [DataSource] = []
        for (index, source) in sources.enumerated() {
            let text = [UInt8](repeating: UInt8(ascii: "a") + UInt8(index), count: source.tokens - 1)
            settings.append(DataSource(paths: [try folder.write(text, to: "\(index).txt")], amount: source.amount))
        }
        let data = DataConfiguration(train: settings)
        try Corpus.prepare(settings: data, directory: folder("run"), report: silent)
        let corpus = try Corpus.open(settings: data, directory: folder("run"))
        return try Mixture(corpus.train, of: settings, context: context, seed: seed)
    }

    private func inputs(_ mixture: Mixture, _ n: Int) -> [Int32] {
        var inputs = [Int32](repeating: -1, count: mixture.context), targets = inputs
        do {
            var inputSpan = inputs.mutableSpan, targetSpan = targets.mutableSpan
            mixture.fill(sequence: n, inputs: &inputSpan, targets: &targetSpan)
        }
        return inputs
    }

    @Test(
        "of any first n of a million sequences each source has its weight's part, to within a constant",
        arguments: [[0.7, 0.3], [1], [0.5, 0.3, 0.1, 0.07, 0.03], [3, 3, 3], [1e-4, 1, 1e-4, 2, 0.5, 0.25, 7]], [1, 2])
    func proportions(weights: [Double], seed: UInt64) throws {
        let mixture = try mixture(weights.map { (1000, .weight($0, repeats: true)) }, seed: seed)
        let parts = weights.map { $0 / weights.reduce(0, +) }
        let bound = Double((0...8).first { 1 << $0 >= weights.count } ?? 9)
        var counts = [Int](repeating: 0, count: weights.count), worst = 0.0, worstOfRanges = 0.0
        var earlier = counts
        for n in 0..<1_000_000 {
            let (source, number) = mixture.place(ofSequence: n)
            guard number == counts[source] else {
                Issue.record("sequence \(n) is number \(number) of source \(source), after \(counts[source])")
                return
            }
            counts[source] += 1
            for i in parts.indices { worst = max(worst, abs(Double(counts[i]) - Double(n + 1) * parts[i])) }
            guard (n + 1) % 777 == 0 else { continue }
            #expect(mixture.counts(ofFirst: n + 1) == counts)
            for i in parts.indices {
                worstOfRanges = max(worstOfRanges, abs(Double(counts[i] - earlier[i]) - 777 * parts[i]))
            }
            earlier = counts
        }
        #expect(worst <= bound && worstOfRanges <= 2 * bound, "\(worst) \(worstOfRanges)")
    }

    @Test("far into a run the proportions hold, too") func farAway() throws {
        let mixture = try mixture([(1000, .weight(0.3, repeats: true)), (1000, .weight(0.7, repeats: true))])
        for n in [1 << 40, 1 << 50, 1 << 59] {
            let counts = mixture.counts(ofFirst: n)
            #expect(counts[0] + counts[1] == n)
            #expect(abs(Double(counts[0]) / Double(n) - 0.3) < 1e-12)
            let place = mixture.place(ofSequence: n)
            #expect(place.number == counts[place.source])
        }
    }

    @Test("a sequence is of its source, and no window comes twice in an epoch of a source") func epochs() throws {
        let mixture = try mixture(
            [(700, .weight(2, repeats: true)), (90, .weight(1, repeats: true)), (41, .weight(1, repeats: true))])
        var starts: [[Int]] = [[], [], []]
        for n in 0..<600 {
            let (source, number) = mixture.place(ofSequence: n)
            let letter = Int32(UInt8(ascii: "a")) + Int32(source)
            #expect(inputs(mixture, n).allSatisfy { $0 == letter || $0 == 256 }, "sequence \(n)")
            starts[source].append(mixture.parts[source].windows.start(ofSequence: number))
        }
        for (part, starts) in zip(mixture.parts, starts) {
            let windows = part.windows.windowsPerEpoch
            #expect(starts.count > 2 * windows)
            for epoch in 0..<starts.count / windows {
                #expect(Set(starts[epoch * windows..<(epoch + 1) * windows]).count == windows)
            }
        }
    }

    @Test("one source is its windows") func oneSource() throws {
        let mixture = try mixture([(500, .weight(1, repeats: true))])
        let windows = try TrainingWindows(mixture.parts[0].windows.dataset, context: 8, seed: 5)
        for n in 0..<200 {
            #expect(mixture.place(ofSequence: n) == (0, n))
            #expect(mixture.parts[0].windows.start(ofSequence: n) == windows.start(ofSequence: n))
        }
        try mixture.requireEnough(for: 1 << 50)
    }

    @Test("epochs are exact, and their sum is all there is") func exactEpochs() throws {
        // 100 windows each at a context of 8.
        let mixture = try mixture([(808, .epochs(2)), (808, .epochs(0.25)), (808, .epochs(1))])
        #expect(mixture.parts.map(\.windows.windowsPerEpoch) == [100, 100, 100])
        #expect(mixture.counts(ofFirst: 325) == [200, 25, 100])
        try mixture.requireEnough(for: 325)
        let refused = failure { try mixture.requireEnough(for: 326) }
        #expect(refused?.message.contains("runs out") == true && refused?.advice?.contains("raise its epochs") == true)
    }

    @Test("a source that is not repeated must last for the run, and is named") func runningOut() throws {
        let mixture = try mixture([(808, .weight(1, repeats: true)), (808, .weight(3, repeats: false))])
        try mixture.requireEnough(for: 132)
        let refused = try #require(failure { try mixture.requireEnough(for: 400) })
        #expect(refused.status == .data && refused.message.contains("data.train[1]"))
        #expect(refused.message.contains("it has 800 tokens") && refused.message.contains("needs 2400 tokens"))
        #expect(refused.advice?.contains("repeat: true") == true)
    }

    @Test("the order depends on the seed") func seeds() throws {
        let sources = [(808, DataSource.Amount.weight(1, repeats: true)), (808, .weight(2, repeats: true))]
        func order(_ seed: UInt64) throws -> [Int] {
            let mixture = try mixture(sources, seed: seed)
            return (0..<64).map { mixture.parts[mixture.place(ofSequence: $0).source].windows.start(ofSequence: $0) }
        }
        #expect(try order(1) == order(1) && order(1) != order(2))
    }

    @Test("windows of validation alternate between sources and cover both") func validation() throws {
        let mixture = try mixture([(81, .weight(1, repeats: true)), (41, .weight(1, repeats: true))])
        let windows = try EvaluationWindows(mixture.parts.map(\.windows.dataset), context: 8)
        #expect(windows.count == 15)
        var seen: [Int32] = []
        for window in 0..<windows.count {
            var inputs = [Int32](repeating: 0, count: 8), targets = inputs
            do {
                var inputSpan = inputs.mutableSpan, targetSpan = targets.mutableSpan
                windows.fill(window: window, inputs: &inputSpan, targets: &targetSpan)
            }
            seen.append(inputs[0])
        }
        #expect(seen.count { $0 == 97 } == 10 && seen.count { $0 == 98 } == 5)
        #expect(Set(seen.prefix(3)) == [97, 98] && Set(seen.suffix(3)) == [97, 98])
    }
}
