import Configuration
import Data
import Diagnostics
import Testing

@Suite struct WindowsTests {
    private func window(_ windows: TrainingWindows, _ n: Int) -> (inputs: [Int32], targets: [Int32]) {
        var inputs = [Int32](repeating: -1, count: windows.context), targets = inputs
        do {
            var inputSpan = inputs.mutableSpan, targetSpan = targets.mutableSpan
            windows.fill(sequence: n, inputs: &inputSpan, targets: &targetSpan)
        }
        return (inputs, targets)
    }

    /// Bytes whose pairs are all different, so that a window tells where it begins.
    private func distinctText(_ count: Int) -> [UInt8] {
        (0..<count).map { (i: Int) -> UInt8 in
            let pair = i / 2
            return UInt8(1 + (i % 2 == 0 ? pair % 255 : pair / 255))
        }
    }

    @Test(arguments: [(100, 7), (64, 8), (65, 8), (8, 8), (9, 8), (1000, 1), (16, 8), (17, 8), (501, 100)])
    func everyEpochVisitsEachWindowOfItsGridOnce(bytes: Int, context: Int) throws {
        let folder = try TemporaryFolder()
        let text = distinctText(bytes)
        let corpus = try corpus([folder.write(text, to: "a.txt")], in: folder)
        let tokens = text.map(Int32.init) + [256]
        let windows = try TrainingWindows(corpus.train[0], context: context, seed: 3)
        #expect(windows.windowsPerEpoch == max(1, (tokens.count - context) / context))
        for epoch in 0..<5 {
            let numbers = epoch * windows.windowsPerEpoch..<(epoch + 1) * windows.windowsPerEpoch
            let starts = numbers.map { windows.start(ofSequence: $0) }.sorted()
            let grid = (0..<windows.windowsPerEpoch).map { starts[0] + $0 * context }
            #expect(starts == grid && starts[0] >= 0 && starts[0] < context)
            #expect(starts.last! + context < tokens.count)
            for n in numbers {
                let start = windows.start(ofSequence: n)
                let (inputs, targets) = window(windows, n)
                #expect(inputs == Array(tokens[start..<start + context]))
                #expect(targets == Array(tokens[start + 1...start + context]))
            }
        }
    }

    @Test func orderDependsOnSeedAndEpochAlone() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus([folder.write(distinctText(4000), to: "a.txt")], in: folder)
        func starts(_ seed: UInt64, _ epoch: Int) throws -> [Int] {
            let windows = try TrainingWindows(corpus.train[0], context: 16, seed: seed)
            let first = epoch * windows.windowsPerEpoch
            return (first..<first + windows.windowsPerEpoch).map { windows.start(ofSequence: $0) }
        }
        #expect(try starts(1, 2) == starts(1, 2))
        #expect(try starts(1, 0) != starts(2, 0))
        #expect(try starts(1, 0) != starts(1, 1))
        // The shift changes too: over many epochs every shift comes up.
        let offsets = try (0..<400).map { try starts(5, $0).min()! }
        #expect(Set(offsets) == Set(0..<16))
    }

    @Test func aContextLongerThanTheCorpusIsRefusedWithNumbers() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus([folder.write("0123456789", to: "a.txt")], validation: .tail(share: 0.3), in: folder)
        let training = failure { _ = try TrainingWindows(corpus.train[0], context: 8, seed: 0) }
        #expect(training?.status == .data)
        #expect(training?.message.contains("8") == true && training?.message.contains("9 are needed") == true)
        #expect(failure { _ = try TrainingWindows(corpus.train[0], context: 7, seed: 0) } == nil)
        let validation = try #require(corpus.validation.first)
        #expect(failure { _ = try EvaluationWindows([validation], context: 3) }?.status == .data)
        #expect(failure { _ = try EvaluationWindows([validation], context: 2) } == nil)
    }

    @Test func evaluationWindowsLieSideBySide() throws {
        let folder = try TemporaryFolder()
        let text = distinctText(103)
        let corpus = try corpus([folder.write(text, to: "a.txt")], in: folder)
        let tokens = text.map(Int32.init) + [256]
        let windows = try EvaluationWindows([corpus.train[0]], context: 10)
        #expect(windows.count == 10)
        var bytes = 0
        for i in 0..<windows.count {
            let (inputs, targets, targetBytes) = window(windows, i)
            #expect(inputs == Array(tokens[10 * i..<10 * i + 10]))
            #expect(targets == Array(tokens[10 * i + 1..<10 * i + 11]))
            bytes += targetBytes
        }
        #expect(bytes == 100)
        let whole = try EvaluationWindows([corpus.train[0]], context: 103)
        let (_, _, wholeBytes) = window(whole, 0)
        #expect(whole.count == 1 && wholeBytes == 102)
    }

    private func window(_ windows: EvaluationWindows, _ i: Int) -> (inputs: [Int32], targets: [Int32], bytes: Int) {
        var inputs = [Int32](repeating: -1, count: windows.context), targets = inputs
        do {
            var inputSpan = inputs.mutableSpan, targetSpan = targets.mutableSpan
            windows.fill(window: i, inputs: &inputSpan, targets: &targetSpan)
        }
        return (inputs, targets, windows.byteCount(ofTargets: targets.span))
    }
}
