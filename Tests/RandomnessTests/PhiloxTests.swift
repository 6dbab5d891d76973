import Randomness
import Testing

@Suite struct PhiloxTests {
    /// The known answers that the authors' library Random123 publishes for Philox4x32-10.
    @Test func givesThePublishedAnswers() {
        let ones = UInt32.max
        let cases: [(SIMD4<UInt32>, UInt64, SIMD4<UInt32>)] = [
            (SIMD4(0, 0, 0, 0), 0, SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)),
            (SIMD4(ones, ones, ones, ones), .max, SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)),
            (
                SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), 0x299F_31D0_A409_3822,
                SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
            ),
        ]
        for (counter, key, answer) in cases { #expect(Philox(key: key).block(counter) == answer) }
    }
}

@Suite struct RandomFunctionTests {
    @Test func isAFunctionOfSeedPurposeStreamAndIndex() {
        func draws(_ seed: UInt64, _ purpose: RandomPurpose, _ stream: UInt64) -> [UInt64] {
            let function = RandomFunction(seed: seed, purpose: purpose, stream: stream)
            return (0..<50).map { function.bits($0) }
        }
        var all: [[UInt64]] = []
        for seed: UInt64 in [0, 1, 2, .max] {
            for purpose in RandomPurpose.allCases {
                for stream: UInt64 in [0, 1, 2, .max] {
                    all.append(draws(seed, purpose, stream))
                    #expect(all.last == draws(seed, purpose, stream))
                }
            }
        }
        #expect(Set(all.joined()).count == all.count * 50)
    }

    @Test func indicesBeyond32BitsAreDistinct() {
        let function = RandomFunction(seed: 1, purpose: .tests)
        #expect(function.bits(0) != function.bits(1 << 32))
        #expect(function.bits(.max) == function.bits(.max))
    }

    @Test func uniformNumbersAreInTheOpenIntervalWithTheRightMoments() {
        let function = RandomFunction(seed: 9, purpose: .tests)
        let draws = (0..<100_000).map { function.uniform($0) }
        #expect(draws.allSatisfy { $0 > 0 && $0 < 1 })
        let mean = draws.reduce(0, +) / 1e5
        let squares = draws.map { ($0 - mean) * ($0 - mean) }
        let variance = squares.reduce(0, +) / 1e5
        // Five standard errors.
        #expect(abs(mean - 0.5) < 0.2887 * 5 / 316)
        #expect(abs(variance - 0.08333) < 0.0745 * 5 / 316)
        // Neighboring draws have nothing to do with each other.
        let products = zip(draws, draws.dropFirst()).map { (a: Double, b: Double) in (a - 0.5) * (b - 0.5) }
        let covariance = products.reduce(0, +) / 1e5
        #expect(abs(covariance) < 0.0833 * 5 / 316)
    }

    @Test(arguments: [UInt64(1), 2, 3, 7, 10, 1000])
    func wholeNumbersFallEvenlyBelowTheirBound(bound: UInt64) {
        let function = RandomFunction(seed: 4, purpose: .tests, stream: bound)
        let draws = 20_000
        var counts = [UInt64: Int]()
        for i in 0..<draws { counts[function.integer(UInt64(i), below: bound), default: 0] += 1 }
        #expect(counts.keys.allSatisfy { $0 < bound })
        let expected = Double(draws) / Double(bound)
        let chiSquare = (0..<bound).reduce(0.0) { sum, value in
            let deviation = Double(counts[value] ?? 0) - expected
            return sum + deviation * deviation / expected
        }
        // Mean bound − 1, variance 2 (bound − 1); five standard deviations and room for the small ones' skew.
        let freedom = Double(bound - 1)
        #expect(chiSquare <= freedom + 5 * (2 * freedom).squareRoot() + 10)
    }

    @Test func textsHaveDistinctDigests() {
        let texts = (0..<5000).map { "layers.\($0).weight" } + ["", "a", "b", "ab", "ba"]
        #expect(Set(texts.map { digest(of: $0) }).count == texts.count)
        #expect(digest(of: "a") == digest(of: "a"))
    }

    @Test func mixingIsABijectionThatSpreadsEveryBit() {
        #expect(Set((0..<10_000).map { mix(UInt64($0)) }).count == 10_000)
        for bit in 0..<64 {
            let flips = (0..<200).map { i -> Int in
                let word = mix(UInt64(i + 1))
                return (mix(word) ^ mix(word ^ 1 << UInt64(bit))).nonzeroBitCount
            }
            let mean = Double(flips.reduce(0, +)) / 200
            #expect(abs(mean - 32) < 3, "bit \(bit) changes \(mean) bits")
        }
    }
}
