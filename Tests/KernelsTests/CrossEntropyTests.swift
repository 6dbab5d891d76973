import Kernels
import Tensors
import Testing
import Workers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct CrossEntropyTests {
    /// Chunks hold 1,024 tokens for small vocabularies and 64 for large ones; these lie around both.
    private static let cases: [(tokens: Int, vocabulary: Int, d: Int)] = [
        (1, 1, 1), (1, 2, 2), (3, 17, 5), (15, 64, 3), (16, 65, 2), (17, 511, 4), (1023, 3, 2), (1024, 2, 3),
        (1025, 5, 1),
        (64, 65_536, 1), (2049, 2, 2),
    ]

    @Test func chunksAreOfMultiplesOf64AndAtMost64MiB() {
        for vocabulary in [1, 2, 50_257, 65_536, 16_384, 16_385, 262_144] {
            let chunk = crossEntropyChunk(vocabulary: vocabulary)
            #expect(chunk % 64 == 0 && (64...1024).contains(chunk))
            #expect(chunk == 64 || chunk * vocabulary * 4 <= 64 << 20)
        }
    }

    @Test(arguments: cases.indices) func lossAndGradients(index: Int) {
        let (tokens, vocabulary, d) = Self.cases[index]
        let x = random(tokens, d, seed: 1, scale: 2), head = random(vocabulary, d, seed: 2, scale: 2)
        let targets = randomIndices(tokens, below: vocabulary, seed: 3), before = random(vocabulary, d, seed: 4)
        let scale: Float = 1 / Float(tokens)
        let chunk = min(tokens, crossEntropyChunk(vocabulary: vocabulary))
        let found = sameOnAnyThreads { workers in
            let logits = Tensor(rows: chunk, columns: vocabulary)
            let alone = Vector<Float>(count: tokens), losses = Vector<Float>(count: tokens)
            let dx = random(tokens, d, seed: 5), dHead = copy(of: before), added = copy(of: before)
            crossEntropy(x, head: head, targets: targets, losses: alone, logits: logits, on: workers)
            for (target, adding) in [(dHead, false), (added, true)] {
                crossEntropyWithGradient(
                    x, head: head, targets: targets, scale: scale, losses: losses, dx: dx, dHead: target,
                    adding: adding,
                    logits: logits, on: workers)
            }
            #expect(alone.array == losses.array)
            return [asRow(losses), dx, dHead, added]
        }
        let (losses, dx, dHead) = oracle(Matrix(x), Matrix(head), targets, scale: Double(scale))
        // A softmax over one entry has no gradient; what is left is the rounding of scale.
        guard vocabulary > 1 else {
            #expect(found[0][0, 0] == 0)
            return
        }
        let worst = expectClose(found, [losses, dx, dHead, Matrix(before) + dHead], within: 3e-6)
        print("cross-entropy \(tokens) of \(vocabulary) × \(d): largest deviation \(worst)")
    }

    private func oracle(
        _ x: Matrix, _ head: Matrix, _ targets: Vector<Int32>, scale: Double
    ) -> (Matrix, Matrix, Matrix) {
        let z = x * head.transposed
        var losses = Matrix(rows: 1, columns: x.rows), dz = z
        for t in 0..<x.rows {
            let row = z.row(t), top = row.max()!, total = row.reduce(0) { $0 + exp($1 - top) }
            losses[0, t] = top + log(total) - row[Int(targets[t])]
            for v in 0..<head.rows {
                dz[t, v] = scale * (exp(row[v] - top) / total - (v == Int(targets[t]) ? 1 : 0))
            }
        }
        return (losses, dz * head, dz.transposed * x)
    }

    @Test func nothingToDoWithoutTokens() {
        crossEntropy(
            Tensor(rows: 0, columns: 2), head: Tensor(rows: 3, columns: 2), targets: Vector(count: 0),
            losses: Vector(count: 0), logits: Tensor(rows: 0, columns: 3), on: Workers(count: 2))
    }

    /// Logits of ±1e4 neither overflow nor lose the loss.
    @Test func largeLogits() {
        let x = Tensor(rows: 2, columns: 1), head = Tensor(rows: 3, columns: 1), losses = Vector<Float>(count: 2)
        (x[0, 0], x[1, 0]) = (100, -100)
        (head[0, 0], head[1, 0], head[2, 0]) = (100, 0, -100)
        crossEntropy(
            x, head: head, targets: Vector([0, 0]), losses: losses, logits: Tensor(rows: 2, columns: 3),
            on: Workers(count: 1))
        #expect(losses.array == [0, 20_000])
    }
}
