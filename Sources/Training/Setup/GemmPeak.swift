import GEMM
import Tensors
package import Workers

/// The float32 matrix rate of this rank's threads together, FLOP/s: the best of several rounds of a product that fits the
/// cache, each thread its own. What a model's arithmetic is compared with (MFU).
package func measureGemmPeak(on workers: Workers, rounds: Int = 7) -> Double {
    let n = 768
    let operands = (0..<workers.count).map { _ in
        (a: Tensor(rows: n, columns: n), b: Tensor(rows: n, columns: n), c: Tensor(rows: n, columns: n))
    }
    for (a, b, _) in operands {
        for i in 0..<a.count { (a.vector[i], b.vector[i]) = (Float(i % 7), Float(i % 5)) }
    }
    let clock = ContinuousClock(), repeats = 8
    var best = 0.0
    for _ in 0..<rounds {
        let start = clock.now
        workers.run(workers.count) { _, task in
            for _ in 0..<repeats {
                GEMM.multiply(operands[task].a.factor, operands[task].b.factor, into: operands[task].c)
            }
        }
        let seconds = (clock.now - start) / .seconds(1)
        best = max(best, 2 * Double(n * n * n * repeats * workers.count) / seconds)
    }
    return best
}
