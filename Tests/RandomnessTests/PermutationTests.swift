import Randomness
import Testing

@Suite struct PermutationTests {
    private func images(_ count: Int, seed: UInt64 = 1, stream: UInt64 = 0) -> [Int] {
        let permutation = Permutation(count: count, seed: seed, purpose: .windowOrder, stream: stream)
        return (0..<count).map { permutation($0) }
    }

    @Test func everyCountGivesABijection() {
        for count in Array(1...130) + [
            255, 256, 257, 1000, 1023, 1024, 1025, 4095, 4096, 4097, 65_535, 65_537, 100_003,
        ] {
            var isHit = [Bool](repeating: false, count: count)
            for image in images(count, seed: UInt64(count)) {
                #expect(!isHit[image])
                isHit[image] = true
            }
        }
    }

    @Test func seedsAndStreamsGiveOtherOrders() {
        #expect(images(1000) == images(1000))
        #expect(images(1000) != images(1000, seed: 2))
        #expect(images(1000) != images(1000, stream: 1))
    }

    /// Over many seeds each of the 24 orders of four things comes up about equally often.
    @Test func smallOrdersAreUniform() {
        var counts: [[Int]: Int] = [:]
        for seed in 0..<24_000 { counts[images(4, seed: UInt64(seed)), default: 0] += 1 }
        #expect(counts.count == 24)
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 200 }, "\(counts.values.sorted())")
    }

    /// Each element is equally likely everywhere, and neighbors do not stay together.
    @Test func elementsLandEvenly() {
        let count = 100
        var landed = [[Int]](repeating: [Int](repeating: 0, count: 10), count: 10)
        var neighbors = 0
        for seed in 0..<1000 {
            let order = images(count, seed: UInt64(seed))
            for (i, image) in order.enumerated() { landed[i / 10][image / 10] += 1 }
            neighbors += zip(order, order.dropFirst()).count { $1 == $0 + 1 }
        }
        #expect(landed.joined().allSatisfy { abs($0 - 1000) < 160 })
        // One in expectation for each order: 1000 · 99/100.
        #expect(abs(neighbors - 990) < 160, "\(neighbors)")
    }

    @Test func hugeCountsStayInBounds() {
        let count = Int.max
        let permutation = Permutation(count: count, seed: 3, purpose: .windowOrder, stream: 0)
        let images = [0, 1, 2, count / 2, count - 1].map { permutation($0) }
        #expect(images.allSatisfy { $0 >= 0 && $0 < count } && Set(images).count == 5)
    }
}
