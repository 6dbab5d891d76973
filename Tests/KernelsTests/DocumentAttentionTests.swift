import Kernels
import Tensors
import Testing
import Threading

@Suite("Attention within documents") struct DocumentAttentionTests {
    /// Where documents begin, besides the first, in sequences of `context` tokens.
    struct Case: Sendable {
        var heads = 1
        var keyHeads = 1
        var dimension = 2
        var context: Int
        var borders: [[Int]]

        /// `[tokens]`
        var starts: [Int] {
            borders.flatMap { borders in (0..<context).map { t in borders.last { $0 <= t } ?? 0 } }
        }
    }

    /// Documents of one token, borders beside those of tiles of queries (128) and keys (512), and documents that begin in the second
    /// or third block of keys that a tile of queries reads.
    private static let cases = [
        Case(context: 1, borders: [[]]),
        Case(heads: 3, keyHeads: 3, dimension: 3, context: 5, borders: [[1, 2, 3, 4], [], [4]]),
        Case(heads: 2, keyHeads: 1, dimension: 6, context: 129, borders: [[1, 64, 128], [127]]),
        Case(heads: 4, keyHeads: 2, context: 257, borders: [[127, 128, 129, 255, 256]]),
        Case(dimension: 16, context: 640, borders: [[513], [511, 639], [128, 520, 600]]),
        Case(heads: 2, keyHeads: 1, dimension: 3, context: 1100, borders: [[5, 1030], [300, 1023, 1024, 1090]]),
    ]

    @Test("a query sees its own document alone, forward and backward", arguments: cases.indices, precisions)
    func forwardAndBackward(index: Int, precision: Precision) {
        let test = Self.cases[index], (d, keys) = (test.heads * test.dimension, test.keyHeads * test.dimension)
        let shape = AttentionShape(
            heads: test.heads, keyValueHeads: test.keyHeads, headSize: test.dimension, context: test.context)
        let tokens = test.starts.count, width = d + 2 * keys, starts = Vector(test.starts.map(Int32.init))
        let qkv = rounded(random(tokens, width, seed: 1, scale: 2), to: precision)
        let dO = rounded(random(tokens, d, seed: 2), to: precision)
        let found = sameOnAnyThreads { workers in
            let o = Operand(precision, rows: tokens, columns: d), sums = Tensor(rows: test.heads, columns: tokens)
            let dQKV = rounded(random(tokens, width, seed: 3), to: precision)
            let scratch = usedScratch(shape, precision, workers: workers.count)
            attention(qkv, shape: shape, starts: starts, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, starts: starts, rotary: nil, into: dQKV,
                scratch: scratch, on: workers)
            return [o.floats, sums, dQKV.floats]
        }
        let expected = attentionOracle(
            Doubles(qkv), Doubles(dO), heads: (test.heads, test.keyHeads), dimension: test.dimension,
            context: test.context, unit: precision.halfUnit, starts: test.starts)
        expectClose(found, expected.values, within: 3e-6, allowances: expected.errors)
    }

    @Test("where every sequence is one document, each bit is that of sequences seen as a whole", arguments: precisions)
    func oneDocument(precision: Precision) {
        let context = 650, tokens = 2 * context, workers = ThreadPool(count: 2)
        let shape = AttentionShape(heads: 2, keyValueHeads: 1, headSize: 6, context: context)
        let table = RotaryTable(context: context, headSize: 6, frequencies: rotaryFrequencies(6))
        let qkv = rounded(random(tokens, 24, seed: 1, scale: 2), to: precision)
        let dO = rounded(random(tokens, 12, seed: 2), to: precision)
        let results = [nil, Vector<Int32>(count: tokens)].map { starts in
            let o = Operand(precision, rows: tokens, columns: 12), sums = Tensor(rows: 2, columns: tokens)
            let dQKV = Operand(precision, rows: tokens, columns: 24), turned = rounded(qkv.floats, to: precision)
            table.rotate(turned.columns(0..<18), first: 0, context: context, starts: starts)
            let scratch = usedScratch(shape, precision, workers: 2)
            attention(turned, shape: shape, starts: starts, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: turned, o: o, logSumExp: sums, shape: shape, starts: starts, rotary: table, into: dQKV,
                scratch: scratch, on: workers)
            return [o.floats, sums, dQKV.floats].map { $0.vector.array }
        }
        #expect(results[0] == results[1])
    }

    /// The second document, of 70 tokens, in a sequence of its own and behind another document.
    @Test("a document behind another has the outputs and gradients that it has alone", arguments: precisions)
    func alone(precision: Precision) {
        let table = RotaryTable(context: 200, headSize: 8, frequencies: rotaryFrequencies(8))
        func results(behind first: Int) -> [Tensor] {
            let context = first + 70, shape = AttentionShape(heads: 1, headSize: 8, context: context)
            let starts = Vector((0..<context).map { Int32($0 < first ? 0 : first) }), own = first..<context
            let qkv = rounded(random(context, 24, seed: 5, scale: 2), to: precision)
            write(random(70, 24, seed: 6, scale: 2), into: qkv.rows(own))
            let dO = rounded(random(context, 8, seed: 7), to: precision)
            write(random(70, 8, seed: 8), into: dO.rows(own))
            let workers = ThreadPool(count: 1), scratch = [AttentionScratch(shape, precision)]
            table.rotate(qkv.columns(0..<16), first: 0, context: context, starts: starts)
            let o = Operand(precision, rows: context, columns: 8), sums = Tensor(rows: 1, columns: context)
            let dQKV = Operand(precision, rows: context, columns: 24)
            attention(qkv, shape: shape, starts: starts, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, starts: starts, rotary: table, into: dQKV,
                scratch: scratch, on: workers)
            return [o.rows(own).floats, dQKV.rows(own).floats]
        }
        let expected = results(behind: 0).map { Doubles($0) }
        expectClose(results(behind: 61), expected, within: 3e-6, roundedTo: precision)
    }

    private func write(_ values: Tensor, into operand: Operand) {
        switch operand {
        case .float32(let x):
            for t in 0..<x.rows { for i in 0..<x.columns { x[t, i] = values[t, i] } }
        case .bfloat16(let x):
            for t in 0..<x.rows { for i in 0..<x.columns { x[t, i] = BFloat16(rounding: values[t, i]) } }
        }
    }
}
