import MatrixProducts
package import Tensors
package import Threading

/// The matrix rate of this rank's threads together, FLOP/s: the best of several rounds of a product that fits the cache,
/// each thread its own, by the kernels for all shapes and by one for its shape in turns. What a model's arithmetic is
/// compared with (MFU).
package func measureGemmPeak(_ precision: Precision, on workers: ThreadPool, repetitions: Int = 8) -> Double {
    let n = 768
    let operands = (0..<workers.count).map { _ in
        (a: smallNumbers(precision, n, 7), b: smallNumbers(precision, n, 5), c: Operand(precision, rows: n, columns: n))
    }
    let clock = ContinuousClock(), repeats = 8
    var best = 0.0
    for repetition in 0..<repetitions {
        let start = clock.now
        workers.run(workers.count) { _, task in
            let (a, b, c) = operands[task]
            for _ in 0..<repeats {
                if repetition % 2 == 0 {
                    MatrixProducts.multiply(a.factor, b.factor, into: c)
                } else {
                    multiplyFixedShape(a.factor, b.factor, into: c)
                }
            }
        }
        let seconds = (clock.now - start) / .seconds(1)
        best = max(best, 2 * Double(n * n * n * repeats * workers.count) / seconds)
    }
    return best
}

/// `[n, n]`, counting modulo `period`.
private func smallNumbers(_ precision: Precision, _ n: Int, _ period: Int) -> Operand {
    func fill<Element: MatrixElement>(_ matrix: Matrix<Element>) {
        var elements = unsafe matrix.unsafeMutableSpan
        for i in 0..<elements.count { elements[i] = Element(rounding: Float(i % period)) }
    }
    let result = Operand(precision, rows: n, columns: n)
    switch result {
    case .float32(let matrix): fill(matrix)
    case .bfloat16(let matrix): fill(matrix)
    }
    return result
}
