import Configuration
import Model
import Randomness
import Testing

@Suite struct CapacityTests {
    @Test func inIntegersNotInDoubles() {
        #expect((1.1 * 100 / 2).rounded(.up) == 56, "doubles were right after all")
        #expect(CapacityFactor(1.1).capacity(tokens: 100, expertsPerToken: 1, experts: 2) == 55)
    }

    /// `⌈factor·tokens·k/experts⌉` for every factor of up to six decimals: the smallest c with
    /// `c·experts·10⁶ ≥ millionths·tokens·k`, in 128 bits, and never more than the tokens.
    @Test func agreesWithExactRationals() {
        let draw = RandomFunction(seed: 1, purpose: .tests)
        func integer(_ index: Int, in range: ClosedRange<Int>) -> Int {
            range.lowerBound + Int(draw.integer(UInt64(index), below: UInt64(range.count)))
        }
        var wrong: [String] = []
        for i in 0..<50_000 {
            let decimals = [1, 10, 100, 1000, 1_000_000][integer(6 * i, in: 0...4)]
            let numerator = integer(6 * i + 1, in: 1...4 * decimals)
            let tokens = integer(6 * i + 2, in: 1...(i % 2 == 0 ? 40 : 1 << 20))
            let expertsPerToken = integer(6 * i + 3, in: 1...8),
                experts = integer(6 * i + 4, in: 1...(i % 3 == 0 ? 4096 : 9))
            let factor = Double(numerator) / Double(decimals)
            let found = CapacityFactor(factor).capacity(
                tokens: tokens, expertsPerToken: expertsPerToken, experts: experts)
            let wanted = Int128(numerator) * Int128(tokens) * Int128(expertsPerToken),
                slot = Int128(experts) * Int128(decimals)
            let expected = min(Int(wanted / slot) + (wanted % slot == 0 ? 0 : 1), tokens)
            if found != expected {
                wrong.append("\(factor)·\(tokens)·\(expertsPerToken)/\(experts): \(found), not \(expected)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    @Test func atTheEnds() {
        #expect(CapacityFactor(1).capacity(tokens: 0, expertsPerToken: 1, experts: 4) == 0)
        #expect(CapacityFactor(0.01).capacity(tokens: 1, expertsPerToken: 1, experts: 4096) == 1)
        #expect(CapacityFactor(1e4).capacity(tokens: 1 << 20, expertsPerToken: 64, experts: 1) == 1 << 20)
    }
}
