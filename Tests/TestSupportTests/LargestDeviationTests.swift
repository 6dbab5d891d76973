import TestSupport
import Testing

@Suite struct LargestDeviationTests {
    @Test("the largest of several deviations is kept")
    func largest() {
        var deviation = LargestDeviation()
        for value in [0.5, 2, 1] { deviation.add(value) }
        #expect(deviation.value == 2)
        deviation.add(-3, expected: 4)
        #expect(deviation.value == 7)
    }

    @Test("a value that is not a number makes the deviation infinite, wherever it stands", arguments: 0..<3)
    func notANumber(position: Int) {
        var found: [Float] = [1, 2, 3]
        let expected = found
        found[position] = .nan
        #expect(LargestDeviation(found, expected).value == .infinity)
        #expect(LargestDeviation(expected, found).value == .infinity)
    }

    @Test("an infinity deviates from any number, and not from itself")
    func infinities() {
        #expect(LargestDeviation([.infinity], [1]).value == .infinity)
        #expect(LargestDeviation([.infinity], [-.infinity]).value == .infinity)
        #expect(LargestDeviation([.infinity], [.infinity]).value == 0)
    }

    @Test("sequences of different lengths deviate")
    func lengths() {
        #expect(LargestDeviation([1], [1, 2]).value == .infinity)
    }
}
