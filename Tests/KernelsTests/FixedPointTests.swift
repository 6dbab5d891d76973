import Kernels
import Platform
import Randomness
import Tensors
import TestSupport
import Testing
import Threading

@Suite struct FixedPointTests {
    /// `v·2^50` is exact in double precision, and so is cutting its fraction off.
    private func oracle(_ value: Float) -> Int64 { Int64((Double(value) * 0x1p50).rounded(.towardZero)) }

    private func quantized(_ values: [Float], microBatches: Int = 1) -> (sums: [Int64], isOutside: Bool) {
        let sums = Vector<Int64>(values.map { _ in -1 })
        let isOutside = accumulateFixed(
            Vector(values), into: sums, adding: false, limit: FixedPoint.limit(microBatches: microBatches),
            on: ThreadPool(count: 1))
        return (sums.array, isOutside)
    }

    /// Random bit patterns of every exponent, denormals included.
    @Test func quantizesExactly() {
        let draw = RandomFunction(seed: 1, purpose: .tests)
        var values: [Float] = [0, -0.0, 1, -1, 0x1p-50, -0x1p-50, 0x1.8p-50, -0x1.8p-50, 0x1p-51, 0x1.fffffep-51]
        for exponent in 0...139 as ClosedRange<UInt32> {
            for i in 0..<200 as Range<UInt32> {
                let bits = UInt32(truncatingIfNeeded: draw.bits(UInt64(exponent * 200 + i)))
                values.append(Float(bitPattern: bits & 0x807F_FFFF | exponent << 23))
            }
        }
        let (sums, isOutside) = quantized(values)
        #expect(!isOutside)
        let wrong = zip(values, sums).first { oracle($0) != $1 }
        #expect(wrong == nil)
    }

    @Test func roundTripLosesLessThanAQuantum() {
        let draw = RandomFunction(seed: 2, purpose: .tests)
        let values = (0..<200_000 as Range<UInt64>).map { i in
            let size = 0x1p-60 * exp2(72.9 * draw.uniform(2 * i))
            return Float(draw.bits(2 * i + 1) & 1 == 0 ? size : -size)
        }
        let back = quantized(values).sums.map(FixedPoint.value)
        let worst = LargestDeviation(values, back).value
        #expect(zip(values, back).allSatisfy { abs($1) <= abs($0) }, "rounds towards zero")
        print("fixed point: largest round-trip error \(worst / 0x1p-50) quanta")
        #expect(worst <= 0x1p-50)
        #expect(worst > 0.9 * 0x1p-50, "no value was near the bound, so it was not tested")
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 64, 65, 1000, 4096]) func microBatchLimitCannotOverflow(microBatches: Int)
    {
        let limit = FixedPoint.limit(microBatches: microBatches)
        #expect(Double(limit) <= 8192 / Double(microBatches))
        #expect(Double(limit) > 4096 / Double(microBatches))
        for sign in [1, -1] as [Float] {
            let (sums, isOutside) = quantized([sign * limit.nextDown], microBatches: microBatches)
            #expect(!isOutside)
            #expect(!sums[0].multipliedReportingOverflow(by: Int64(microBatches)).overflow)
            #expect(quantized([sign * limit], microBatches: microBatches).isOutside)
            #expect(quantized([sign * limit.nextUp], microBatches: microBatches).isOutside)
        }
    }

    @Test func flagsWhateverIsNotANumber() {
        let bad: [Float] = [
            .nan, -.nan, .signalingNaN, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e9,
            Float(bitPattern: 0x7FFF_FFFF), Float(bitPattern: 0xFF80_0001),
        ]
        for value in bad { #expect(quantized([value]).isOutside, "\(value)") }
    }

    /// One bad value among many, at the corners of the tiles that threads take.
    @Test func flagsOneBadValueAnywhere() {
        for count in [1, 2, 16_383, 16_384, 16_385, 32_769] {
            for place in Set([0, count / 2, min(count, 16_384) - 1, count - 1]) {
                let values = Vector<Float>((0..<count).map { Float($0 % 7) })
                for threads in 1...3 {
                    let workers = ThreadPool(count: threads), sums = Vector<Int64>(count: count)
                    values[place] = 1
                    #expect(!accumulateFixed(values, into: sums, adding: true, limit: 8192, on: workers))
                    values[place] = .nan
                    #expect(accumulateFixed(values, into: sums, adding: true, limit: 8192, on: workers))
                }
            }
        }
        #expect(
            !accumulateFixed(
                Vector(count: 0), into: Vector(count: 0), adding: false, limit: 1, on: ThreadPool(count: 2)))
    }

    /// Sums over permuted and regrouped micro-batches, on any number of threads, have the same bits; sums of floats do not.
    @Test func orderAndGroupingOfMicroBatchesLeaveNoTrace() {
        let microBatches = 8, count = 20_000
        let gradients = (0..<microBatches).map { microBatch in
            let draw = RandomFunction(seed: UInt64(microBatch), purpose: .tests)
            return Vector<Float>(
                (0..<count).map { i in
                    let u = draw.uniform(UInt64(2 * i)) - 0.5
                    return Float(u * exp2(30 * draw.uniform(UInt64(2 * i + 1)) - 25))
                })
        }
        func sum(_ order: [Int], threads: Int) -> [Int64] {
            let workers = ThreadPool(count: threads), sums = Vector<Int64>((0..<count).map { Int64($0) })
            for (position, microBatch) in order.enumerated() {
                #expect(
                    !accumulateFixed(
                        gradients[microBatch], into: sums, adding: position > 0,
                        limit: FixedPoint.limit(microBatches: microBatches),
                        on: workers))
            }
            return sums.array
        }
        let expected = sum(Array(0..<microBatches), threads: 1)
        #expect(sum([7, 2, 5, 0, 1, 6, 4, 3], threads: 2) == expected)
        #expect(sum([3, 1, 4, 0, 5, 2, 6, 7], threads: 3) == expected)
        for groups in [[[0, 1, 2], [3, 4], [5, 6, 7]], [[7], [6, 0], [5, 4, 3, 2, 1]]] {
            let parts = groups.map { sum($0, threads: 2) }
            #expect((0..<count).map { i in parts.reduce(0) { $0 + $1[i] } } == expected)
        }
        let up = (0..<count).map { i in (0..<microBatches).reduce(Float(0)) { $0 + gradients[$1][i] } }
        let down = (0..<count).map { i in (0..<microBatches).reversed().reduce(Float(0)) { $0 + gradients[$1][i] } }
        #expect(up != down, "the micro-batches do not show the difference this test is about")
    }
}
