import Kernels
import Platform
import Tensors
import Testing
import Threading

@Suite struct CachedAttentionTests {
    /// One token alone, and caches around the width of vectors; the rest of the memory is NaN, which must not be read.
    @Test(arguments: [(1, 2, 1), (3, 2, 5), (1, 7, 16), (2, 16, 64), (4, 6, 131), (1, 64, 300)], precisions)
    func isTheLastRowOfAttention(shape: (heads: Int, dimension: Int, seen: Int), precision: Precision) {
        let (heads, dimension, seen) = shape, d = heads * dimension
        let query = rounded(random(1, d, seed: 1, scale: 2), to: precision)
        let all = random(seen + 7, 2 * d, seed: 2, scale: 2)
        for t in seen..<seen + 7 {
            for c in 0..<2 * d { all[t, c] = .nan }
        }
        let keysValues = rounded(all, to: precision).rows(0..<seen)
        let form = AttentionShape(heads: heads, headSize: dimension, context: seen)
        let found = sameOnAnyThreads { workers in
            let o = Operand(precision, rows: 1, columns: d)
            let scratch = (0..<workers.count).map { _ in AttentionScratch(form, precision) }
            attention(ofLast: query, keysValues: keysValues, shape: form, into: o, scratch: scratch, on: workers)
            return [o.floats]
        }
        let expected = oracle(Doubles(query), Doubles(keysValues), dimension)
        let worst = expectClose(found, [expected], within: 3e-6, roundedTo: precision, "\(shape)")
        print("attention of one token, \(shape), \(precision): largest deviation \(worst) of its bound")
    }

    /// Head by head, in double precision.
    private func oracle(_ q: Doubles, _ keysValues: Doubles, _ dimension: Int) -> Doubles {
        let d = q.columns
        return Doubles(rows: 1, columns: d) { _, column in
            let head = column / dimension * dimension..<(column / dimension + 1) * dimension
            let weights = (0..<keysValues.rows).map { t in
                exp(head.reduce(0) { $0 + q[0, $1] * keysValues[t, $1] } / Double(dimension).squareRoot())
            }
            let sum = weights.indices.reduce(0) { $0 + weights[$1] * keysValues[$1, d + column] }
            return sum / weights.reduce(0, +)
        }
    }
}
