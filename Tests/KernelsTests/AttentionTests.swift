import Kernels
import Platform
import Tensors
import Testing
import Threading

@Suite struct AttentionTests {
    /// Contexts around the query tile of 128, and of several key tiles of 512.
    private static let cases: [(heads: Int, dimension: Int, context: Int, sequences: Int, keyHeads: Int)] = [
        (1, 2, 1, 1, 1), (1, 2, 2, 0, 1), (3, 2, 5, 3, 3), (1, 7, 63, 2, 1), (2, 16, 64, 1, 2), (1, 4, 127, 2, 1),
        (2, 6, 128, 1, 2),
        (1, 3, 129, 2, 1), (1, 8, 255, 1, 1), (2, 2, 257, 1, 2), (1, 64, 130, 1, 1), (1, 32, 256, 1, 1),
        (1, 2, 640, 1, 1),
        (1, 3, 1030, 1, 1), (2, 2, 5, 3, 1), (6, 3, 129, 2, 2), (4, 2, 640, 1, 1),
    ]

    @Test(arguments: cases.indices, precisions) func forwardAndBackward(index: Int, precision: Precision) {
        let (heads, dimension, context, sequences, keyHeads) = Self.cases[index]
        let d = heads * dimension, width = d + 2 * keyHeads * dimension, tokens = sequences * context
        let shape = AttentionShape(heads: heads, keyValueHeads: keyHeads, headSize: dimension, context: context)
        let qkv = rounded(random(tokens, width, seed: 1, scale: 2), to: precision)
        let dO = rounded(random(tokens, d, seed: 2), to: precision)
        let found = sameOnAnyThreads { workers in
            let o = Operand(precision, rows: tokens, columns: d), sums = Tensor(rows: heads, columns: tokens)
            let dQKV = rounded(random(tokens, width, seed: 3), to: precision)
            let scratch = usedScratch(shape, precision, workers: workers.count)
            attention(qkv, shape: shape, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, rotary: nil, into: dQKV, scratch: scratch,
                on: workers)
            return [o.floats, sums, dQKV.floats]
        }
        let expected = attentionOracle(
            Doubles(qkv), Doubles(dO), heads: (heads, keyHeads), dimension: dimension, context: context,
            unit: precision.halfUnit)
        let worst = expectClose(found, expected.values, within: 3e-6, allowances: expected.errors)
        print(
            "attention \(precision) \(heads) over \(keyHeads) × \(dimension), context \(context): largest deviation \(worst) of its bound"
        )
    }

    /// Gradients of queries and keys that were turned are turned back: in float32 to the bit what turning them afterwards
    /// gives, in bfloat16 but for one rounding instead of two.
    @Test(arguments: precisions) func turnsGradientsBack(precision: Precision) {
        let shape = AttentionShape(heads: 2, headSize: 6, context: 131), tokens = 262
        let table = RotaryTable(context: 140, headSize: 6, frequencies: rotaryFrequencies(6))
        let qkv = rounded(random(tokens, 36, seed: 6), to: precision)
        let dO = rounded(random(tokens, 12, seed: 7), to: precision)
        func gradients(_ rotary: RotaryTable?) -> Operand {
            let workers = ThreadPool(count: 2), scratch = usedScratch(shape, precision, workers: 2)
            let o = Operand(precision, rows: tokens, columns: 12), sums = Tensor(rows: 2, columns: tokens)
            let dQKV = Operand(precision, rows: tokens, columns: 36)
            attention(qkv, shape: shape, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, rotary: rotary, into: dQKV, scratch: scratch,
                on: workers)
            return dQKV
        }
        let afterwards = gradients(nil)
        table.rotate(afterwards.columns(0..<24), first: 0, context: 131, inverse: true)
        let bound = precision == .float32 ? 0 : 2 * precision.halfUnit
        expectClose([gradients(table).floats], [Doubles(afterwards)], within: bound)
    }

    /// The oracle's own Jacobian against central differences of its forward pass, on a size where that is cheap.
    @Test func theOracleAgreesWithCentralDifferences() {
        let (context, dimension) = (5, 3)
        let qkv = Doubles(random(context, 3 * dimension, seed: 4, scale: 2))
        let dO = Doubles(random(context, dimension, seed: 5))
        let analytic = attentionOracle(qkv, dO, heads: (1, 1), dimension: dimension, context: context, unit: 0).values[
            2]
        let flat = qkv.values
        for i in flat.indices {
            let numeric = slope(flat, i) { values in
                let moved = Doubles(rows: context, columns: 3 * dimension) { values[$0 * 3 * dimension + $1] }
                let columns = [0, dimension, 2 * dimension]
                let head = OracleHead(moved, firstToken: 0, context: context, columns: columns, dimension: dimension)
                return inner(head.output.values, dO.values)
            }
            #expect(abs(numeric - analytic.values[i]) <= 1e-8)
        }
    }
}
