import Kernels
import Platform
import Randomness
import Tensors
import Testing
import Threading

private func softmax(_ z: [Double]) -> [Double] {
    let top = z.max()!, total = z.reduce(0) { $0 + exp($1 - top) }
    return z.map { exp($0 - top) / total }
}

private func logSumExp(_ z: [Double]) -> Double {
    let top = z.max()!
    return top + log(z.reduce(0) { $0 + exp($1 - top) })
}

private let shapes: [(tokens: Int, experts: Int)] = [
    (0, 3), (1, 1), (1, 2), (5, 3), (63, 15), (64, 16), (65, 17), (127, 4), (129, 33), (3, 64), (2, 129),
]

@Suite struct RouterTests {
    @Test func softmaxAndItsLogSumExp() {
        var worst = 0.0
        for (tokens, experts) in shapes {
            for scale in [1.0, 40] {
                let z = random(tokens, experts, seed: 1, scale: scale)
                let found = sameOnAnyThreads { workers in
                    let p = copy(of: z), sums = Vector<Float>(count: tokens)
                    routerSoftmax(p, logSumExp: sums, on: workers)
                    return [p, asRow(sums)]
                }
                let rows = Doubles(z)
                let sums = Doubles(rows: 1, columns: tokens) { logSumExp(rows.row($1)) }
                worst = max(
                    worst, expectClose(found, [byRow(z, softmax), sums], within: 1e-6, "\(tokens) × \(experts)"))
            }
        }
        print("router softmax: largest deviation \(worst) of its bound")
    }

    @Test func softmaxOfNaNAndInfinityIsNaN() {
        for bad in [Float.nan, .infinity] {
            for place in [0, 3, 16, 19] {
                let z = random(2, 20, seed: 2), sums = Vector<Float>(count: 2)
                z[1, place] = bad
                routerSoftmax(z, logSumExp: sums, on: ThreadPool(count: 1))
                #expect((0..<20).contains { z[1, $0].isNaN })
                #expect((0..<20).allSatisfy { z[0, $0].isFinite })
            }
        }
    }

    /// Against a sort by probability, then index, on probabilities of few values, so that there are ties everywhere.
    @Test(arguments: [1, 2, 3, 8], [false, true]) func choosesTheBestAndTheLowestOfEquals(k: Int, normalize: Bool) {
        for (tokens, experts) in shapes where experts >= k {
            for levels in [1, 2, 5, 1 << 20] {
                let draw = randomIndices(tokens * experts, below: levels, seed: UInt64(levels))
                let p = Tensor(rows: tokens, columns: experts)
                for i in 0..<tokens * experts { p[i / experts, i % experts] = Float(draw[i] + 1) / 16 }
                let expertIndices = Vector<Int32>(count: tokens * k)
                let gates = sameOnAnyThreads { workers in
                    let gates = Vector<Float>(count: tokens * k)
                    for i in 0..<tokens * k { expertIndices[i] = -1 }
                    selectTopK(p, k: k, normalize: normalize, expertIndices: expertIndices, gates: gates, on: workers)
                    return [asRow(gates)]
                }[0]
                let best = (0..<tokens).map { t in
                    Array((0..<experts).sorted { (p[t, $0], -$0) > (p[t, $1], -$1) }.prefix(k))
                }
                #expect(
                    expertIndices.array.map(Int.init) == best.flatMap { $0 }, "\(tokens) × \(experts), \(levels) levels"
                )
                let expected = Doubles(rows: 1, columns: tokens * k) { _, i in
                    let t = i / k, total = normalize ? best[t].reduce(0) { $0 + Double(p[t, $1]) } : 1
                    return Double(p[t, best[t][i % k]]) / total
                }
                expectClose([gates], [expected], within: 2e-7)
            }
        }
    }

    @Test("a bias decides who is selected, and ties, but no gate", arguments: [false, true])
    func biasSelects(normalize: Bool) {
        let (tokens, experts, k) = (33, 6, 2)
        let p = Tensor(rows: tokens, columns: experts), bias = Vector<Float>([0, 0.5, -1, 0.25, 0, 0.125])
        for i in 0..<tokens * experts { p[i / experts, i % experts] = Float((i * 7) % 5 + 1) / 8 }
        let expertIndices = Vector<Int32>(count: tokens * k), gates = Vector<Float>(count: tokens * k)
        selectTopK(
            p, bias: bias, k: k, normalize: normalize, expertIndices: expertIndices, gates: gates,
            on: ThreadPool(count: 2))
        for t in 0..<tokens {
            let best = (0..<experts).sorted { (p[t, $0] + bias[$0], -$0) > (p[t, $1] + bias[$1], -$1) }.prefix(k)
            #expect((0..<k).map { Int(expertIndices[t * k + $0]) } == Array(best), "token \(t)")
            let total = normalize ? best.reduce(0) { $0 + p[t, $1] } : 1
            #expect((0..<k).map { gates[t * k + $0] } == best.map { p[t, $0] / total }, "token \(t)")
        }
    }

    /// NaN probabilities must not crash or choose twice: the loss shows them, a step later.
    @Test func choosesDistinctExpertsAmongNaN() {
        let p = Tensor(rows: 1, columns: 5), expertIndices = Vector<Int32>(count: 3)
        for bad in [[0], [2], [0, 1, 2, 3, 4]] {
            for e in 0..<5 { p[0, e] = bad.contains(e) ? .nan : 0.2 }
            selectTopK(
                p, k: 3, normalize: true, expertIndices: expertIndices, gates: Vector(count: 3),
                on: ThreadPool(count: 1))
            #expect(Set(expertIndices.array).count == 3)
            #expect(expertIndices.array.allSatisfy { (0..<5).contains($0) })
        }
    }

    /// The loss of one token's logits in double precision, its choices and the assignments of the micro-batch held fixed.
    private struct Loss {
        let k: Int
        let normalize: Bool
        let expertIndices: [Int]
        let dGates: [Double]
        let shares: [Double]
        let balance: Double
        let z: Double
        let tokens: Double

        func callAsFunction(_ logits: [Double]) -> Double {
            let p = softmax(logits), lse = logSumExp(logits)
            let total = normalize ? expertIndices.reduce(0) { $0 + p[$1] } : 1
            let gated = zip(expertIndices, dGates).reduce(0) { $0 + $1.1 * p[$1.0] / total }
            let balanced = balance * Double(p.count) * inner(shares, p) / tokens
            return gated + balanced + z * lse * lse / tokens
        }
    }

    @Test(arguments: [1, 2, 3], [false, true]) func backward(k: Int, normalize: Bool) {
        var worst = 0.0
        for (tokens, experts) in shapes where experts >= k && tokens > 0 {
            let z = random(tokens, experts, seed: 3, scale: 2), dGates = random(1, tokens * k, seed: 4).vector
            // Every third choice found no slot.
            for i in stride(from: 1, to: tokens * k, by: 3) { dGates[i] = 0 }
            let tokensPerExpert = Vector<Int32>(count: experts), expertIndices = Vector<Int32>(count: tokens * k)
            let found = sameOnAnyThreads { workers in
                let p = copy(of: z), sums = Vector<Float>(count: tokens), gates = Vector<Float>(count: tokens * k)
                let dz = random(tokens, experts, seed: 5)
                routerSoftmax(p, logSumExp: sums, on: workers)
                selectTopK(p, k: k, normalize: normalize, expertIndices: expertIndices, gates: gates, on: workers)
                for e in 0..<experts { tokensPerExpert[e] = 0 }
                for i in 0..<tokens * k { tokensPerExpert[Int(expertIndices[i])] += 1 }
                loadBalanceGradient(tokensPerExpert, k: k, scale: 0.75, into: dz, on: workers)
                selectTopKBackward(
                    p, k: k, normalize: normalize, expertIndices: expertIndices, gates: gates, dGates: dGates,
                    addingTo: dz, on: workers)
                routerSoftmaxBackward(p, logSumExp: sums, zScale: 0.5, replacing: dz, on: workers)
                return [dz]
            }
            let logits = Doubles(z)
            let expected = Doubles(rows: tokens, columns: experts) { t, e in
                let mine = t * k..<(t + 1) * k
                let loss = Loss(
                    k: k, normalize: normalize, expertIndices: mine.map { Int(expertIndices[$0]) },
                    dGates: mine.map { Double(dGates[$0]) },
                    shares: (0..<experts).map { Double(tokensPerExpert[$0]) / Double(tokens * k) }, balance: 0.75,
                    z: 0.5,
                    tokens: Double(tokens))
                return slope(logits.row(t), e) { loss($0) }
            }
            worst = max(worst, expectClose(found, [expected], within: 2e-6, "\(tokens) × \(experts)"))
        }
        print("router backward k \(k)\(normalize ? " normalized" : ""): largest deviation \(worst) of its bound")
    }
}
