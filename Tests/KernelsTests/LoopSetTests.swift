#if arch(x86_64)
    import BaselineLoops
    import Platform
    import Tensors
    import Testing
    import KernelLoops
    import WideLoops

    /// Both sets of loops give the same bits, so a run does not depend on which one its processor chose.
    @Suite(.enabled(if: Processor.ofThisMachine.supports(.avx512), "this processor has no AVX-512"))
    struct LoopSetTests {
        private static let lengths = [1, 15, 16, 17, 64, 100, 513]

        @Test(arguments: Precision.allCases, lengths) func swiGLU(precision: Precision, hidden: Int) {
            expectSameBits { loops in
                let gateUp = rounded(random(3, 2 * hidden, seed: 1, scale: 6), to: precision)
                let a = Operand(precision, rows: 3, columns: hidden)
                loops.swiGLU(gateUp, into: a)
                let forward = a.floats
                loops.swiGLUBackward(rounded(random(3, hidden, seed: 2), to: precision), replacing: gateUp)
                return [forward, gateUp.floats]
            }
        }

        @Test(arguments: Precision.allCases, lengths) func otherActivations(precision: Precision, hidden: Int) {
            expectSameBits { loops in
                let gateUp = rounded(random(3, 2 * hidden, seed: 1, scale: 6), to: precision)
                let x = rounded(random(3, hidden, seed: 3, scale: 6), to: precision)
                let y = rounded(x.floats, to: precision), da = rounded(random(3, hidden, seed: 2), to: precision)
                let outputs = (0..<3).map { _ in Operand(precision, rows: 3, columns: hidden) }
                loops.geGLU(gateUp, into: outputs[0])
                loops.gelu(x, into: outputs[1])
                loops.squaredReLU(y, into: outputs[2])
                loops.geGLUBackward(da, replacing: gateUp)
                loops.geluBackward(da, replacing: x)
                loops.squaredReLUBackward(da, replacing: y)
                return (outputs + [gateUp, x, y]).map(\.floats)
            }
        }

        @Test(arguments: Precision.allCases, lengths) func attention(precision: Precision, keys: Int) {
            let queries = min(keys, 5)
            // In the last document a query sees itself alone.
            let starts = Vector((0..<queries).map { Int32(7 + [0, keys / 3, keys / 3, keys - 2, keys - 1][$0]) })
            for starts in [nil, starts] {
                attention(precision, keys, VisibleKeys(query: keys - queries + 7, key: 7, starts: starts))
            }
        }

        private func attention(_ precision: Precision, _ keys: Int, _ visible: VisibleKeys) {
            let queries = min(keys, 5)
            expectSameBits { loops in
                let scores = random(queries, keys, seed: 3, scale: 9), dP = random(queries, keys, seed: 4)
                let p = memory(of: scores, in: precision), ds = memory(of: dP, in: precision)
                let sums = SoftmaxSums(queries: queries), logs = Tensor(rows: 1, columns: queries)
                loops.softmaxNumerators(scores, of: visible, scale: 0.3, into: p, sums: sums, isFirst: true)
                let once = p.floats
                fill(scores, seed: 4)
                loops.softmaxNumerators(scores, of: visible, scale: 0.3, into: p, sums: sums, isFirst: false)
                let accumulator = random(queries, 19, seed: 5), out = Operand(precision, rows: queries, columns: 19)
                loops.scaleRows(accumulator, by: sums.factors)
                loops.finishSoftmax(accumulator, sums: sums, scale: 0.3, into: out, logSumExp: logs)
                let twice = p.floats, deltas = Vector<Float>(count: queries)
                loops.rowProducts(rounded(random(queries, 19, seed: 6), to: precision), out, into: deltas)
                fill(scores, seed: 3)
                loops.scoresBackward(
                    scores, dP, of: visible, deltas: deltas, scale: 0.3, logSumExp: logs, into: p, ds)
                return [once, twice, out.floats, logs, p.floats, ds.floats]
            }
        }

        @Test(arguments: Precision.allCases, [2, 30, 32, 34, 64, 96]) func rotate(
            precision: Precision, headSize: Int
        ) {
            expectSameBits { loops in
                let x = rounded(random(7, 4 * headSize, seed: 8), to: precision)
                let cosine = random(5, headSize / 2, seed: 9), sine = random(5, headSize / 2, seed: 10)
                let starts = headSize % 4 == 0 ? Vector<Int32>([0, 1, 0, 0, 0, 3, 3]) : nil
                loops.rotate(
                    x, headSize: headSize, first: 3, starts: starts, cosine: cosine, sine: sine, direction: -1)
                return [x.floats]
            }
        }

        @Test(arguments: Precision.allCases, lengths) func losses(precision: Precision, vocabulary: Int) {
            expectSameBits { loops in
                let z = random(3, vocabulary, seed: 11, scale: 5), dz = memory(of: z, in: precision)
                let targets = Vector<Int32>([0, Int32(vocabulary / 2), Int32(vocabulary - 1)])
                let losses = Vector<Float>(count: 3), totals = Vector<Float>(count: 3)
                loops.lossGradients(z, targets: targets, scale: 0.01, into: losses, totals: totals, dz)
                return [dz.floats, Tensor(losses, rows: 1, columns: 3), Tensor(totals, rows: 1, columns: 3)]
            }
        }

        @Test(arguments: lengths) func fixedPoint(count: Int) {
            func sums(_ loops: any LoopSet.Type, limit: Float) -> ([Int64], Bool) {
                let sums = Vector<Int64>(count: count), values = random(1, count, seed: 12, scale: 3).vector
                _ = loops.accumulateFixed(values, into: sums, adding: false, limit: limit)
                let isOutside = loops.accumulateFixed(values, into: sums, adding: true, limit: limit)
                return (sums.array, isOutside)
            }
            for limit: Float in [1e-3, 100] {
                #expect(sums(BaselineLoops.Loops.self, limit: limit) == sums(WideLoops.Loops.self, limit: limit))
            }
        }

        private func expectSameBits(
            sourceLocation: SourceLocation = #_sourceLocation, _ compute: (any LoopSet.Type) -> [Tensor]
        ) {
            let results = [BaselineLoops.Loops.self, WideLoops.Loops.self].map { (set: any LoopSet.Type) in
                compute(set).map { tensor in tensor.vector.array.map(\.bitPattern) }
            }
            #expect(results[0] == results[1], sourceLocation: sourceLocation)
        }

        private func fill(_ matrix: Tensor, seed: UInt64) {
            let values = random(matrix.rows, matrix.columns, seed: seed, scale: 9)
            for t in 0..<matrix.rows { for i in 0..<matrix.columns { matrix[t, i] = values[t, i] } }
        }

        /// In float32 the matrix itself, as `LoopSet` asks.
        private func memory(of matrix: Tensor, in precision: Precision) -> Operand {
            precision == .float32 ? .float32(matrix) : Operand(precision, rows: matrix.rows, columns: matrix.columns)
        }
    }
#endif
