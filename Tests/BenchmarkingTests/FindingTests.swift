import Benchmarking
import Testing

struct FindingTests {
    @Test func levelsAreOrdered() { #expect(Finding.Level.ok < .warn && .warn < .fail && !(Finding.Level.fail < .ok)) }
}
