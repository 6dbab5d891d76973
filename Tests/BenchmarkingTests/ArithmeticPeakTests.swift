import Benchmarking
import Platform
import Tensors
import Testing
import Threading

struct ArithmeticPeakTests {
    private func measure(_ change: (inout Set<String>) -> Void) -> ArithmeticPeak {
        var processor = Processor.ofThisMachine
        change(&processor.features)
        return ArithmeticPeak.measure(on: ThreadPool(count: 1), of: processor, repetitions: 1)
    }

    /// Libraries use tiles where there are any, and no loop tells what those reach.
    @Test func noRateIsKnownForTiles() {
        let peak = measure { $0.insert("amx_bf16") }
        #expect(peak.bfloat16 == nil && peak.float32 > 0)
        let text = peak.comparison(with: 9e12, in: .bfloat16)
        #expect(text.contains("tiles (AMX)") && !text.contains("%"))
        #expect(peak.comparison(with: peak.float32, in: .float32).hasPrefix("100 % of the "))
    }

    /// Without instructions for bfloat16 a library widens its factors to float32.
    @Test func widenedProductsReachWhatFloat32Does() {
        let peak = measure { $0.subtract(["amx_bf16", "avx512_bf16"]) }
        #expect(peak.bfloat16 == peak.float32)
        #expect(peak.comparison(with: peak.float32 / 2, in: .bfloat16).hasPrefix("50 % of the "))
    }
}
