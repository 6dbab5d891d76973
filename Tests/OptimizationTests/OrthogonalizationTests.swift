import Optimization
import Randomness
import Tensors
import TestSupport
import Testing
import Threading

/// The iteration as its authors write it, in double precision: `X ← aX + (bA + cA²)X` with `A = XXᵀ`, transposed where tall.
private func naive(_ matrix: Doubles) -> Doubles {
    var x = matrix.rows > matrix.columns ? matrix.transposed : matrix
    x = x.scaled(by: 1 / (x.numbers.reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7))
    for _ in 0..<5 {
        let gram = x * x.transposed
        let factor = gram.scaled(by: -4.7750) + (gram * gram).scaled(by: 2.0315)
        x = x.scaled(by: 3.4445) + factor * x
    }
    return matrix.rows > matrix.columns ? x.transposed : x
}

/// What the iteration makes of one singular value.
private func quintic(_ singularValue: Double) -> Double {
    (0..<5).reduce(singularValue) { s, _ in 3.4445 * s - 4.7750 * s * s * s + 2.0315 * s * s * s * s * s }
}

private let shapes = [(1, 1), (1, 7), (7, 1), (5, 5), (3, 11), (11, 3), (64, 40), (40, 64), (300, 260), (257, 513)]

@Suite("Orthogonalization") struct OrthogonalizationTests {
    private func random(_ rows: Int, _ columns: Int, seed: Int) -> Doubles {
        let draw = RandomFunction(seed: UInt64(seed), purpose: .tests)
        return Doubles(rows, columns) { Double(Float(2 * draw.uniform(UInt64($0 * columns + $1)) - 1)) }
    }

    /// Each as a window of a larger matrix whose other elements must stay what they are.
    private func orthogonalized(_ matrices: [Doubles], threads: Int = 1) throws -> [Doubles] {
        let margin: Float = 77
        let jobs = matrices.map { matrix in
            let (from, to) = (Tensor(matrix, margin: margin), Tensor(matrix, margin: margin))
            let n = Orthogonalization.scratchCount(rows: matrix.rows, columns: matrix.columns)
            let columns = 2..<2 + matrix.columns
            let job = Orthogonalization(of: from.columns(columns), into: to.columns(columns), scratch: Vector(count: n))
            return (job, from, to)
        }
        orthogonalize(jobs.map(\.0), on: ThreadPool(count: threads))
        for (_, from, to) in jobs {
            for r in 0..<to.rows {
                for c in [0, 1, to.columns - 1] { #expect(from[r, c] == margin && to[r, c] == margin) }
            }
        }
        return jobs.map { Doubles($0.0.result) }
    }

    @Test("is the naive iteration in double precision", arguments: shapes.indices) func follows(index: Int) throws {
        let matrix = random(shapes[index].0, shapes[index].1, seed: index)
        let found = try orthogonalized([matrix])[0], expected = naive(matrix)
        var worst = LargestDeviation()
        for (a, b) in zip(found.numbers, expected.numbers) { worst.add(a, expected: b) }
        print("orthogonalization of \(shapes[index]): largest deviation \(worst.value)")
        #expect(found.numbers.count == expected.numbers.count && worst.value <= 4e-6)
    }

    /// `M = U·diag(s)·Vᵀ` becomes `U·diag(q(s/‖s‖))·Vᵀ`, and q is near 1 unless a singular value is next to nothing.
    @Test("brings singular values near 1 and keeps singular vectors", arguments: [(6, 6), (5, 12), (20, 8), (90, 70)])
    func singularValues(rows: Int, columns: Int) throws {
        let n = min(rows, columns)
        let u = random(rows, n, seed: 1).orthonormalized, v = random(columns, n, seed: 2).orthonormalized
        let s = (0..<n).map { 1 / (1 + 40 * Double($0) / Double(n)) }
        let norm = s.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let result = try orthogonalized([u.scalingColumns(by: s.map { 8 * $0 }) * v.transposed])[0]
        let between = u.transposed * result * v
        var worst = LargestDeviation()
        for i in 0..<n {
            for j in 0..<n { worst.add(between[i, j], expected: i == j ? quintic(s[i] / norm) : 0) }
            #expect(between[i, i] > 0.67 && between[i, i] < 1.21, "singular value \(s[i]) became \(between[i, i])")
        }
        let rest = result + (u * between * v.transposed).scaled(by: -1)
        for number in rest.numbers { worst.add(number, expected: 0) }
        print("singular values of \((rows, columns)): largest deviation \(worst.value)")
        #expect(worst.value <= 4e-6)
    }

    @Test("the bits are a function of the matrix alone: of no thread and of no other matrix") func bits() throws {
        let matrices = shapes.indices.map { random(shapes[$0].0, shapes[$0].1, seed: 50 + $0) }
        let alone = try matrices.map { try orthogonalized([$0])[0].numbers }
        for threads in 1...3 {
            #expect(try orthogonalized(matrices, threads: threads).map(\.numbers) == alone, "\(threads) threads")
        }
    }

    @Test("a zero matrix stays zero, and what is not a number shows") func edges() throws {
        let zero = Doubles(3, 4) { _, _ in 0 }, bad = Doubles(3, 4) { r, c in r == 1 && c == 2 ? .nan : 1 }
        let found = try orthogonalized([zero, bad])
        #expect(found[0].numbers.allSatisfy { $0 == 0 })
        #expect(found[1].numbers.contains { $0.isNaN })
    }
}
