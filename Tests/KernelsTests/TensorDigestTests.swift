import Tensors
import Testing

@Suite struct TensorDigestTests {
    private let values = random(1, 300, seed: 1).vector

    private func digest(_ values: Vector<Float>, tensor: String = "a", first: Int = 0) -> UInt64 {
        TensorDigest(name: tensor).part(values.span, at: first)
    }

    @Test func everyFlippedBitChangesIt() {
        let before = digest(values)
        for place in [0, 1, 15, 16, 150, 299] {
            for bit in 0..<32 {
                let old = values[place]
                values[place] = Float(bitPattern: old.bitPattern ^ (1 << UInt32(bit)))
                #expect(digest(values) != before, "bit \(bit) of element \(place)")
                values[place] = old
            }
        }
        #expect(digest(values) == before)
    }

    @Test func everyExchangeChangesIt() {
        let before = digest(values)
        for a in 0..<300 {
            for b in [a + 1, a + 2, a + 16, a + 64] where b < 300 {
                (values[a], values[b]) = (values[b], values[a])
                #expect(digest(values) != before, "elements \(a) and \(b)")
                (values[a], values[b]) = (values[b], values[a])
            }
        }
    }

    @Test func placeAndTensorAndSignOfZeroCount() {
        let zeros = Vector<Float>(count: 4)
        #expect(digest(zeros) != digest(zeros, first: 1))
        #expect(digest(zeros) != digest(zeros, tensor: "b"))
        #expect(digest(zeros) != digest(Vector(count: 5)))
        #expect(digest(zeros) != digest(Vector([0, 0, -0.0, 0])))
        #expect(digest(Vector(count: 0)) == 0)
    }

    /// Ranks digest what they own and one sum puts the parts together.
    @Test func partsAddUpInAnyOrder() {
        let whole = digest(values, first: 1000)
        for cuts in [[1], [64, 65], [100, 150, 299]] {
            let bounds = [0] + cuts + [300]
            let parts = zip(bounds, bounds.dropFirst()).map { digest(values[$0..<$1], first: 1000 + $0) }
            #expect(parts.reversed().reduce(0, &+) == whole)
        }
    }
}
