import CPlatform
package import Platform
package import Tensors
package import Threading

/// What the processor can compute at most, measured by loops of multiply-adds that touch no memory: FLOP/s of all threads.
package struct ArithmeticPeak: Codable, Sendable, Equatable {
    package var float32: Double
    /// Products of bfloat16 pairs summed in float32, by the instruction for them, or as float32 where it is missing. Nil where
    /// libraries compute them by tiles (AMX): no loop here tells what those reach.
    package var bfloat16: Double?
    /// The instructions the float32 loop used.
    package var instructions: String

    package init(float32: Double, bfloat16: Double?, instructions: String) {
        self.float32 = float32
        self.bfloat16 = bfloat16
        self.instructions = instructions
    }

    /// The widest multiply-adds of `processor`, the best of `repetitions` rounds of some milliseconds.
    package static func measure(on workers: ThreadPool, of processor: Processor, repetitions: Int = 7) -> ArithmeticPeak
    {
        let (kind, name) = widest(processor)
        let float32 = best(kind, on: workers, repetitions: repetitions)
        func bfloat16() -> Double? {
            if processor.features.contains("amx_bf16") { return nil }
            let hasPairs = processor.features.isSuperset(of: ["avx512_bf16", "avx512bw", "avx512vl"])
            return hasPairs ? best(platform_fma_avx512_bf16, on: workers, repetitions: repetitions) : float32
        }
        return ArithmeticPeak(float32: float32, bfloat16: bfloat16(), instructions: name)
    }

    /// How near products come: `91 % of the 280 GFLOP/s of multiply-adds in registers (AVX-512, float32)`.
    /// - Parameter flops: FLOP/s of products in `precision`
    package func comparison(with flops: Double, in precision: Precision) -> String {
        guard let peak = precision == .float32 ? float32 : bfloat16 else {
            return "\(precision.rawValue) by tiles (AMX), whose rate in registers is not known"
        }
        return "\(percent(flops / peak)) of the \(gigaflops(peak)) of multiply-adds in registers "
            + "(\(instructions), \(precision.rawValue))"
    }

    private static func widest(_ processor: Processor) -> (kind: platform_fma, name: String) {
        if processor.supports(.avx512) { return (platform_fma_avx512, "AVX-512") }
        if processor.supports(.avx2) { return (platform_fma_avx2, "AVX2") }
        return (platform_fma_baseline, "the compiler's baseline")
    }

    private static func best(_ kind: platform_fma, on workers: ThreadPool, repetitions: Int) -> Double {
        let clock = ContinuousClock(), turns = 1_000_000
        let operations = platform_multiply_add(Int32(kind.rawValue), 1) * Double(turns * workers.count)
        var best = 0.0
        for _ in 0..<repetitions {
            let start = clock.now
            workers.run(workers.count) { _, _ in _ = platform_multiply_add(Int32(kind.rawValue), turns) }
            let seconds = (clock.now - start) / .seconds(1)
            best = max(best, operations / seconds)
        }
        return best
    }
}
