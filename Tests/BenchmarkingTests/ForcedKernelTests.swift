import Benchmarking
import Testing

struct ForcedKernelTests {
    private func forced(_ rate: Double) -> ForcedKernel {
        ForcedKernel(
            variables: ["OPENBLAS_CORETYPE=Haswell"], forced: GemmRate(kernel: "Haswell", flops: rate),
            free: GemmRate(kernel: "SkylakeX", flops: 200e9))
    }

    @Test func onlyTheVariablesThatForceCount() {
        let environment = ["OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "", "OPENBLAS_NUM_THREADS": "1"]
        #expect(ForcedKernel.variables(in: environment) == ["OPENBLAS_CORETYPE=Haswell"])
        #expect(ForcedKernel.variables(in: [:]).isEmpty)
    }

    @Test func aLossIsWarnedAboutWithItsSize() {
        let warning = forced(100e9).warning ?? ""
        #expect(warning.contains("OPENBLAS_CORETYPE=Haswell is obeyed") && warning.contains("50 % slower"))
        #expect(warning.contains("100 GFLOP/s a core (Haswell) instead of 200 GFLOP/s a core (SkylakeX)"))
    }

    @Test func whatCostsNothingIsNotWarnedAbout() {
        #expect(forced(195e9).warning == nil)
        #expect(forced(250e9).warning == nil)
    }
}
