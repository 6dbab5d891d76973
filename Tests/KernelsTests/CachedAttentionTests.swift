import Kernels
import Platform
import Tensors
import Testing
import Threading

@Suite struct CachedAttentionTests {
    /// One token alone, and caches around the width of vectors; the rest of the memory is NaN, which must not be read.
    @Test(
        arguments: [
            (1, 2, 1, 1), (3, 2, 5, 3), (1, 7, 16, 1), (2, 16, 64, 2), (4, 6, 131, 4), (1, 64, 300, 1), (4, 6, 131, 2),
            (3, 2, 5, 1),
        ], precisions)
    func isTheLastRowOfAttention(shape: (heads: Int, dimension: Int, seen: Int, keyHeads: Int), precision: Precision) {
        let (heads, dimension, seen, keyHeads) = shape, d = heads * dimension, width = 2 * keyHeads * dimension
        let query = rounded(random(1, d, seed: 1, scale: 2), to: precision)
        let all = random(seen + 7, width, seed: 2, scale: 2)
        for t in seen..<seen + 7 {
            for c in 0..<width { all[t, c] = .nan }
        }
        let keysValues = rounded(all, to: precision).rows(0..<seen)
        let form = AttentionShape(heads: heads, keyValueHeads: keyHeads, headSize: dimension, context: seen)
        let found = sameOnAnyThreads { workers in
            let o = Operand(precision, rows: 1, columns: d)
            let scratch = (0..<workers.count).map { _ in AttentionScratch(form, precision) }
            attention(ofLast: query, keysValues: keysValues, shape: form, into: o, scratch: scratch, on: workers)
            return [o.floats]
        }
        let expected = oracle(Doubles(query), Doubles(keysValues), heads: heads / keyHeads, dimension)
        let worst = expectClose(found, [expected], within: 3e-6, roundedTo: precision, "\(shape)")
        print("attention of one token, \(shape), \(precision): largest deviation \(worst) of its bound")
    }

    /// Head by head, in double precision.
    /// - Parameter heads: that read the same keys
    private func oracle(_ q: Doubles, _ keysValues: Doubles, heads: Int, _ dimension: Int) -> Doubles {
        let d = q.columns
        return Doubles(rows: 1, columns: d) { _, column in
            let number = column / dimension, query = number * dimension, key = number / heads * dimension
            let weights = (0..<keysValues.rows).map { t in
                exp(
                    (0..<dimension).reduce(0) { $0 + q[0, query + $1] * keysValues[t, key + $1] }
                        / Double(dimension).squareRoot())
            }
            let sum = weights.indices.reduce(0) {
                $0 + weights[$1] * keysValues[$1, d / heads + key + column % dimension]
            }
            return sum / weights.reduce(0, +)
        }
    }
}
