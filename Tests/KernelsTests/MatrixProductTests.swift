import Kernels
import MatrixProducts
import Tensors
import Testing
import Threading

@Suite struct MatrixProductTests {
    /// Shapes around the output tiles of 256 rows and 512 columns, some with kernels of their own, and the smallest.
    private static let shapes: [(m: Int, k: Int, n: Int)] = [
        (0, 3, 2), (3, 2, 0), (1, 1, 1), (2, 3, 1), (1, 5, 7), (63, 65, 64), (129, 7, 127), (511, 3, 512),
        (512, 2, 513),
        (513, 5, 511), (1025, 3, 2), (1, 2, 1030), (5, 600, 4), (3, 4097, 5), (256, 32, 64), (255, 32, 96),
        (600, 64, 32), (512, 96, 544),
    ]

    @Test(arguments: precisions, [false, true]) func everyTransposition(precision: Precision, left: Bool) {
        for right in [false, true] {
            var worst = 0.0
            for (m, k, n) in Self.shapes {
                let a = rounded(left ? random(k, m, seed: 1) : random(m, k, seed: 1), to: precision)
                let b = rounded(right ? random(n, k, seed: 2) : random(k, n, seed: 2), to: precision)
                let factors = (Factor(a, isTransposed: left), Factor(b, isTransposed: right))
                let product = (left ? Doubles(a).transposed : Doubles(a)) * (right ? Doubles(b).transposed : Doubles(b))
                worst = max(worst, compare(factors, product, precision))
            }
            let names = [left, right].map { $0 ? "transposed" : "plain" }
            print("product \(precision) \(names[0]) × \(names[1]): largest deviation \(worst) of its bound")
        }
    }

    /// Into float32 and into the factors' precision, overwriting and adding.
    private func compare(_ factors: (Factor, Factor), _ product: Doubles, _ precision: Precision) -> Double {
        let (m, k, n) = (product.rows, factors.0.columns, product.columns)
        let c0 = rounded(random(m, n, seed: 3), to: precision)
        let found = sameOnAnyThreads(
            { workers in
                let over = [c0.floats, c0.floats].map(Operand.float32)
                let same = [c0, c0].map { rounded($0.floats, to: precision) }
                for (target, adding) in zip(over + same, [false, true, false, true]) {
                    multiply(factors.0, factors.1, into: target, adding: adding, on: workers)
                }
                return (over + same).map(\.floats)
            }, "\(m) × \(k) × \(n)")
        let expected = [product, Doubles(c0) + product], what = "\(m) × \(k) × \(n) of \(precision)"
        return max(
            expectClose(Array(found[..<2]), expected, within: 2e-6, what),
            expectClose(Array(found[2...]), expected, within: 2e-6, roundedTo: precision, what))
    }

    /// The products of a group give the bits each gives alone: experts of one micro-batch do not see each other.
    @Test(arguments: precisions) func groupsOfProducts(precision: Precision) {
        let shapes: [(m: Int, k: Int, n: Int)] = [(3, 5, 700), (0, 5, 4), (600, 2, 513), (1, 1, 1)]
        let factors = shapes.map {
            (
                rounded(random($0.m, $0.k, seed: 4), to: precision).factor,
                rounded(random($0.k, $0.n, seed: 5), to: precision).factor
            )
        }
        func targets() -> [Operand] { shapes.map { rounded(random($0.m, $0.n, seed: 6), to: precision) } }
        let found = sameOnAnyThreads { workers in
            let out = targets()
            multiply(
                shapes.indices.map { ProductJob(factors[$0].0, factors[$0].1, into: out[$0], adding: $0 % 2 == 0) },
                on: workers)
            return out.map(\.floats)
        }
        for (index, alone) in targets().enumerated() {
            multiply(
                factors[index].0, factors[index].1, into: alone, adding: index % 2 == 0, on: ThreadPool(count: 1))
            #expect(alone.floats.vector.array == found[index].vector.array)
        }
        multiply([], on: ThreadPool(count: 2))
    }

    /// What follows a product is told of each of its rows once, when it is there.
    @Test(arguments: [(1, 600), (255, 3), (256, 40), (700, 513)]) func finishesEveryRowOnce(rows: Int, columns: Int) {
        for transposed in [false, true] {
            let a = transposed ? random(4, rows, seed: 12) : random(rows, 4, seed: 12), b = random(4, columns, seed: 13)
            let found = sameOnAnyThreads { workers in
                let c = Tensor(rows: rows, columns: columns), sums = Tensor(rows: rows, columns: 1)
                let job = ProductJob(Factor(.float32(a), isTransposed: transposed), b.factor, into: .float32(c)) {
                    for t in $0 { for i in 0..<columns { sums[t, 0] += c[t, i] } }
                }
                multiply(
                    [job, ProductJob(b.transposed, b.factor, into: .float32(Tensor(rows: columns, columns: columns)))],
                    on: workers)
                return [sums]
            }
            let product = (transposed ? Doubles(a).transposed : Doubles(a)) * Doubles(b)
            let sums = Doubles(rows: rows, columns: 1) { t, _ in product.row(t).reduce(0, +) }
            expectClose(found, [sums], within: 1e-5)
        }
    }

    /// Factors and product inside wider matrices: writing leaves the columns beside the product alone.
    @Test(arguments: precisions, [false, true]) func windowsOfWiderMatrices(precision: Precision, transposed: Bool) {
        let wide = rounded(random(70, 20, seed: 7), to: precision), before = Doubles(wide)
        let around = rounded(random(72, 72, seed: 8), to: precision)
        let x = transposed ? around.rows(3..<7).columns(2..<72) : around.rows(2..<72).columns(3..<7)
        let w = rounded(random(5, 9, seed: 9), to: precision).rows(1..<5).columns(2..<8)
        multiply(Factor(x, isTransposed: transposed), w.factor, into: wide.columns(5..<11), on: ThreadPool(count: 2))
        let product = (transposed ? Doubles(x).transposed : Doubles(x)) * Doubles(w)
        expectClose([wide.columns(5..<11).floats], [product], within: 1e-6, roundedTo: precision)
        let after = Doubles(wide)
        for t in 0..<70 {
            for c in 0..<20 where !(5..<11).contains(c) {
                #expect(after[t, c] == before[t, c], "row \(t), column \(c)")
            }
        }
    }

    /// The same call gives the same bits wherever in memory its matrices begin.
    @Test(arguments: precisions) func bitsDoNotDependOnAddresses(precision: Precision) {
        let a = random(65, 130, seed: 10), b = random(130, 67, seed: 11)
        let results = [0, 1, 3].map { shift -> [Float] in
            let left = rounded(Tensor(rows: 65, columns: 130 + 8), to: precision).columns(shift..<130 + shift)
            fill(left, from: a)
            let product = Tensor(rows: 65, columns: 67)
            multiply(left.factor, rounded(b, to: precision).factor, into: .float32(product), on: ThreadPool(count: 1))
            return product.vector.array
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    private func fill(_ target: Operand, from source: Tensor) {
        for r in 0..<source.rows {
            for c in 0..<source.columns {
                switch target {
                case .float32(let matrix): matrix[r, c] = source[r, c]
                case .bfloat16(let matrix): matrix[r, c] = BFloat16(rounding: source[r, c])
                }
            }
        }
    }
}
