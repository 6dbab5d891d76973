import Kernels
import Tensors
import Testing

@Suite struct EmbeddingTests {
    @Test func lookUpAndItsBackward() {
        var worst = 0.0
        let shapes: [(tokens: Int, vocabulary: Int, d: Int)] = [
            (0, 3, 2), (1, 1, 1), (5, 2, 3), (63, 64, 15), (64, 65, 16), (65, 63, 17), (200, 1, 2),
            (130, 129, 65), (300, 4097, 3),
        ]
        for (tokens, vocabulary, d) in shapes {
            let table = random(vocabulary, d, seed: 1), dx = random(tokens, d, seed: 2)
            let ids = randomIndices(tokens, below: vocabulary, seed: 3), before = random(vocabulary, d, seed: 4)
            let found = sameOnAnyThreads { workers in
                let x = Tensor(rows: tokens, columns: d), over = copy(of: before), added = copy(of: before)
                embed(ids, table: table, into: x, on: workers)
                embedBackward(dx, tokens: ids, dTable: over, adding: false, on: workers)
                embedBackward(dx, tokens: ids, dTable: added, adding: true, on: workers)
                return [x, over, added]
            }
            var dTable = Doubles(rows: vocabulary, columns: d)
            for t in 0..<tokens {
                for i in 0..<d { dTable[Int(ids[t]), i] += Double(dx[t, i]) }
            }
            let x = Doubles(rows: tokens, columns: d) { Double(table[Int(ids[$0]), $1]) }
            let expected = [x, dTable, Doubles(before) + dTable]
            worst = max(worst, expectClose(found, expected, within: 1e-6, "\(tokens) of \(vocabulary) × \(d)"))
        }
        print("embedding: largest deviation \(worst) of its bound")
    }
}
