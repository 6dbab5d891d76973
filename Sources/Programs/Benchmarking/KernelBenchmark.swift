package import Configuration
import Diagnostics
import Kernels
import Parallelism
import Platform
import RunFormat
package import Threading
import Training

/// Every kernel of a training step beside what the machine can do: memory bandwidth, or multiply-adds.
package struct KernelBenchmark: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package var name: String
        package var microseconds: Double
        /// Bytes a second that the kernel must move at least, or FLOP/s.
        package var rate: Sample
        package var unit: String
        /// Of the bandwidth of updates in place, or of the GEMM peak; above 1 where the micro-batch fits a cache.
        package var fraction: Double
    }

    package var threads: Int
    package var tokens: Int
    package var bandwidth: MemoryBandwidth
    package var gemmPeak: Double
    package var kernels: [Row]

    package init(_ configuration: ResolvedConfiguration, on workers: ThreadPool, repetitions: Int) {
        threads = workers.count
        tokens = configuration.batch.microBatchTokens
        let bandwidth = MemoryBandwidth.measure(on: workers, repetitions: repetitions),
            peak = measureGemmPeak(configuration.precision, on: workers)
        (self.bandwidth, gemmPeak) = (bandwidth, peak)
        let shapes = KernelShapes(
            tokens: tokens, model: configuration.model, optimizer: configuration.optimizer, threads: workers.count,
            precision: configuration.precision)
        kernels = shapes.cases.map { kernel in
            let seconds = secondsPerCall(repetitions: repetitions) { kernel.run(workers) }
            switch kernel.work {
            case .bytes(let bytes):
                let rate = seconds.rate(of: Double(bytes))
                return Row(
                    name: kernel.name, microseconds: 1e6 * seconds.median, rate: rate, unit: "GB/s",
                    fraction: rate.median / bandwidth.update.median)
            case .flops(let flops):
                let rate = seconds.rate(of: flops)
                return Row(
                    name: kernel.name, microseconds: 1e6 * seconds.median, rate: rate, unit: "GFLOP/s",
                    fraction: rate.median / peak)
            }
        }
    }

    package var text: String {
        var table = TextTable(["kernel", "µs", "rate", "", "spread", "of limit"])
        for row in kernels {
            table.add([
                row.name, decimals(row.microseconds, 1), decimals(row.rate.median / 1e9, 1), row.unit,
                percent(row.rate.spread), percent(row.fraction),
            ])
        }
        return table.text
            + "\n\(threads) thread\(threads == 1 ? "" : "s"), a micro-batch of \(grouped(tokens)) tokens; limits: memory "
            + "\(decimals(bandwidth.update.median / 1e9, 1)) GB/s updated in place, GEMM peak \(gigaflops(gemmPeak))"
    }
}

extension MemoryBandwidth {
    package var text: String {
        var table = TextTable(["memory", "GB/s", "spread"])
        for (name, sample) in [("read", read), ("copy", copy), ("update in place", update)] {
            table.add([name, decimals(sample.median / 1e9, 1), percent(sample.spread)])
        }
        return table.text
    }
}
