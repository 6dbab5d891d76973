import GEMM
import Kernels
import Tensors
import Testing
import Workers

@Suite struct MatrixProductTests {
    /// Shapes around the output tile of 512 × 512, and the smallest.
    private static let shapes: [(m: Int, k: Int, n: Int)] = [
        (0, 3, 2), (3, 2, 0), (1, 1, 1), (2, 3, 1), (1, 5, 7), (63, 65, 64), (129, 7, 127), (511, 3, 512),
        (512, 2, 513),
        (513, 5, 511), (1025, 3, 2), (1, 2, 1030), (5, 600, 4),
    ]

    @Test(arguments: [false, true], [false, true]) func everyTransposition(left: Bool, right: Bool) {
        var worst = 0.0
        for (m, k, n) in Self.shapes {
            let a = left ? random(k, m, seed: 1) : random(m, k, seed: 1)
            let b = right ? random(n, k, seed: 2) : random(k, n, seed: 2)
            let c0 = random(m, n, seed: 3)
            let found = sameOnAnyThreads(
                { workers in
                    let over = copy(of: c0), added = copy(of: c0)
                    let factors = (Factor(a, isTransposed: left), Factor(b, isTransposed: right))
                    multiply(factors.0, factors.1, into: over, on: workers)
                    multiply(factors.0, factors.1, into: added, adding: true, on: workers)
                    return [over, added]
                }, "\(m) × \(k) × \(n)")
            let product = (left ? Matrix(a).transposed : Matrix(a)) * (right ? Matrix(b).transposed : Matrix(b))
            let expected = [product, Matrix(c0) + product]
            worst = max(worst, expectClose(found, expected, within: 2e-6, "\(m) × \(k) × \(n)"))
        }
        print(
            "product \(left ? "transposed" : "plain") × \(right ? "transposed" : "plain"): largest deviation \(worst)")
    }

    /// The products of a group give the bits each gives alone: experts of one lane do not see each other.
    @Test func groupsOfProducts() {
        let shapes: [(m: Int, k: Int, n: Int)] = [(3, 5, 700), (0, 5, 4), (600, 2, 513), (1, 1, 1)]
        let factors = shapes.map { (random($0.m, $0.k, seed: 4), random($0.k, $0.n, seed: 5)) }
        func targets() -> [Tensor] { shapes.map { random($0.m, $0.n, seed: 6) } }
        let found = sameOnAnyThreads { workers in
            let out = targets()
            multiply(
                shapes.indices.map {
                    ProductJob(factors[$0].0.factor, factors[$0].1.factor, into: out[$0], adding: $0 % 2 == 0)
                }, on: workers)
            return out
        }
        for (index, alone) in targets().enumerated() {
            multiply(
                factors[index].0.factor, factors[index].1.factor, into: alone, adding: index % 2 == 0,
                on: Workers(count: 1))
            #expect(alone.vector.array == found[index].vector.array)
        }
        multiply([], on: Workers(count: 2))
    }

    /// Writing a window leaves the columns beside it alone.
    @Test func windowsOfWiderMatrices() {
        let wide = random(70, 20, seed: 7), before = copy(of: wide), x = random(70, 4, seed: 8),
            w = random(4, 6, seed: 9)
        multiply(x.factor, w.factor, into: wide.columns(5..<11), on: Workers(count: 2))
        expectClose([copy(of: wide.columns(5..<11))], [Matrix(x) * Matrix(w)], within: 1e-6)
        for (range, place) in [(0..<5, "left"), (11..<20, "right")] {
            #expect(
                Matrix(wide.columns(range)).values == Matrix(before.columns(range)).values, "\(place) of the window")
        }
    }
}
