import Kernels
import Platform
import Tensors
import Testing
import Threading

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

    @Test(arguments: cases.indices, precisions) func lossAndGradients(index: Int, precision: Precision) {
        let (tokens, vocabulary, d) = Self.cases[index]
        let x = rounded(random(tokens, d, seed: 1, scale: 2), to: precision)
        let head = rounded(random(vocabulary, d, seed: 2, scale: 2), to: precision)
        let targets = randomIndices(tokens, below: vocabulary, seed: 3), before = random(vocabulary, d, seed: 4)
        let scale: Float = 1 / Float(tokens)
        let chunk = min(tokens, crossEntropyChunk(vocabulary: vocabulary))
        let found = sameOnAnyThreads { workers in
            let scratch = LogitScratch(chunk: chunk, vocabulary: vocabulary, precision)
            let alone = Vector<Float>(count: tokens), losses = Vector<Float>(count: tokens)
            let dx = random(tokens, d, seed: 5), dHead = copy(of: before), added = copy(of: before)
            crossEntropy(x, head: head, targets: targets, losses: alone, scratch: scratch, on: workers)
            for (target, adding) in [(dHead, false), (added, true)] {
                crossEntropyWithGradient(
                    x, head: head, targets: targets, scale: scale, losses: losses, dx: dx, dHead: target,
                    adding: adding, scratch: scratch, on: workers)
            }
            #expect(alone.array == losses.array)
            return [asRow(losses), dx, dHead, added]
        }
        let expected = oracle(Doubles(x), Doubles(head), targets, scale: Double(scale), precision)
        // A softmax over one entry has no gradient; what is left is the rounding of scale.
        guard vocabulary > 1 else {
            #expect(found[0][0, 0] == 0)
            return
        }
        // Errors of a sum of n products grow as √n where the library adds them up one after the other.
        let within = max(3e-6, 0x1p-24 * Double(max(vocabulary, chunk)).squareRoot())
        let worst = expectClose(
            found, [expected.losses, expected.dx, expected.dHead, Doubles(before) + expected.dHead], within: within,
            allowances: [
                Doubles(rows: 1, columns: tokens), expected.dxError, expected.dHeadError, expected.dHeadError,
            ])
        print("cross-entropy \(precision) \(tokens) of \(vocabulary) × \(d): largest deviation \(worst) of its bound")
    }

    private struct Expected {
        var losses: Doubles
        var dx: Doubles
        var dHead: Doubles
        /// What rounding the logits' gradients moves them by at most.
        var dxError: Doubles
        var dHeadError: Doubles
    }

    private func oracle(
        _ x: Doubles, _ head: Doubles, _ targets: Vector<Int32>, scale: Double, _ precision: Precision
    ) -> Expected {
        let z = x * head.transposed
        var losses = Doubles(rows: 1, columns: x.rows), dz = z
        for t in 0..<x.rows {
            let row = z.row(t), top = row.max()!, total = row.reduce(0) { $0 + exp($1 - top) }
            losses[0, t] = top + log(total) - row[Int(targets[t])]
            for v in 0..<head.rows {
                dz[t, v] = scale * (exp(row[v] - top) / total - (v == Int(targets[t]) ? 1 : 0))
            }
        }
        let error = precision.halfUnit * dz.magnitudes
        return Expected(
            losses: losses, dx: dz * head, dHead: dz.transposed * x, dxError: error * head.magnitudes,
            dHeadError: error.transposed * x.magnitudes)
    }

    @Test func nothingToDoWithoutTokens() {
        let none = Tensor(rows: 0, columns: 2), head = Tensor(rows: 3, columns: 2)
        crossEntropy(
            .float32(none), head: .float32(head), targets: Vector(count: 0), losses: Vector(count: 0),
            scratch: LogitScratch(chunk: 0, vocabulary: 3, .float32), on: ThreadPool(count: 2))
    }

    /// Logits of ±1e4 neither overflow nor lose the loss.
    @Test func largeLogits() {
        let x = Tensor(rows: 2, columns: 1), head = Tensor(rows: 3, columns: 1), losses = Vector<Float>(count: 2)
        (x[0, 0], x[1, 0]) = (100, -100)
        (head[0, 0], head[1, 0], head[2, 0]) = (100, 0, -100)
        crossEntropy(
            .float32(x), head: .float32(head), targets: Vector([0, 0]), losses: losses,
            scratch: LogitScratch(chunk: 2, vocabulary: 3, .float32),
            on: ThreadPool(count: 1))
        #expect(losses.array == [0, 20_000])
    }
}
