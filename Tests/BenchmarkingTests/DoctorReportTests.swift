import Benchmarking
import Diagnostics
import Platform
import Testing

/// What the doctor concludes, from given facts.
struct DoctorReportTests {
    private static let healthy = HostReport(
        place: RankBinding(host: "n1", process: 1, processors: [0, 1], threads: 2),
        processor: Processor(
            model: "AMD", features: ["avx2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"], count: 2
        ),
        target: .avx2, matrixKernel: "OpenBLAS 0.3.21 SkylakeX", mpi: "Open MPI v4.1.4", mpiThreads: "funneled",
        hdf5: "1.10.8", hdf5IsParallel: true, environment: [:],
        memory: HostReport.MemoryFacts(installed: 16 << 30, available: 12 << 30, controlGroupLimit: nil),
        limits: SystemLimits(openFiles: 4096, lockedMemory: nil, coreFile: 0, hugePages: "madvise"),
        sharedMemory: FileSystemSpace(size: 8 << 30, free: 8 << 30),
        currentDirectory: FileSystemSpace(size: 100 << 30, free: 50 << 30),
        tracingPolicy: 0, load: 0.1,
        rates: HostReport.Rates(
            threads: 2, peakOfOne: ArithmeticPeak(float32: 280e9, bfloat16: 560e9, instructions: "AVX-512"),
            peakOfAll: ArithmeticPeak(float32: 560e9, bfloat16: 1120e9, instructions: "AVX-512"), gemmOfOne: 255e9,
            gemmOfAll: 508e9, bfloat16OfAll: 980e9))

    /// What the doctor says of machines that are well but for `change`, of those whose subject contains `subject`.
    private func findings(
        ranks: Int = 1, _ subject: String, _ change: (inout [HostReport]) -> Void
    ) -> [Finding] {
        var all = (0..<ranks).map { rank in
            var facts = Self.healthy
            facts.place = RankBinding(host: "n\(rank)", process: 1, processors: [0, 1], threads: 2)
            return facts
        }
        change(&all)
        return DoctorReport(JobReport(ranks: all, isLaunched: true, forcedKernel: nil)).findings
            .filter { $0.subject.contains(subject) }
    }

    private func level(_ subject: String, _ change: @escaping (inout HostReport) -> Void) -> Finding.Level? {
        findings(subject) { change(&$0[0]) }.map(\.level).max()
    }

    @Test func aHealthyMachineIsFoundHealthy() {
        let checkup = DoctorReport(JobReport(ranks: [Self.healthy], isLaunched: false, forcedKernel: nil))
        #expect(checkup.status == .ok, "\(checkup.text)")
        #expect(checkup.failure == nil)
        #expect(checkup.text.hasSuffix(" ok, 0 warnings, 0 failures"))
    }

    @Test func whatIsNotWellHasAdvice() {
        let all = findings("") {
            $0[0].hdf5IsParallel = false
            $0[0].limits.hugePages = "never"
            $0[0].sharedMemory = FileSystemSpace(size: 64 << 20, free: 1 << 20)
        }
        #expect(all.filter { $0.level != .ok }.count == 3)
        #expect(all.allSatisfy { $0.level == .ok || $0.advice?.isEmpty == false })
    }

    @Test func theBuildMustSuitTheProcessor() {
        #expect(level("build") { $0.target = .avx512 } == .ok)
        #expect(level("build") { $0.processor.features = ["avx2", "fma"] } == .ok)
        #expect(level("build") { $0.processor.features = ["sse2"] } == .fail)
        #expect(level("build") { $0.target = .baseline } == .warn)
        #expect(level("build") { $0.processor.features = [] } == .ok)
        #expect(
            level("build") {
                $0.target = .avx512
                $0.processor.features = ["avx2", "fma"]
            } == .fail)
    }

    @Test func theMatrixLibraryMustUseTheProcessor() {
        #expect(level("matrix library") { $0.matrixKernel = "OpenBLAS 0.3.21 Haswell" } == .warn)
        #expect(level("GEMM, one") { $0.rates?.gemmOfOne = 100e9 } == .warn)
        #expect(level("GEMM, 2") { $0.rates?.gemmOfAll = 255e9 } == .warn)
        #expect(level("bfloat16") { $0.rates?.bfloat16OfAll = 520e9 } == .warn)
        #expect(level("bfloat16") { $0.rates?.bfloat16OfAll = nil } == .warn)
        #expect(level("other work") { $0.load = 1.5 } == .warn)
    }

    /// Beside what cannot be measured there is no share, least of all one above 100 %.
    @Test func tilesHaveNoShare() {
        #expect(
            findings("bfloat16") { _ in }.map(\.text) == [
                "980 GFLOP/s, 88 % of the 1120 GFLOP/s of a loop in registers, 1.9 times float32"
            ])
        let tiles = findings("bfloat16") {
            $0[0].rates?.peakOfAll.bfloat16 = nil
            $0[0].rates?.bfloat16OfAll = 4000e9
        }
        #expect(tiles.map(\.level) == [.ok])
        #expect(tiles[0].text.contains("tiles (AMX)") && !tiles[0].text.contains("%"))
    }

    @Test func librariesMustBeOfTheRightKind() {
        #expect(level("MPI") { $0.mpiThreads = "single" } == .fail)
        #expect(level("HDF5") { $0.hdf5IsParallel = false } == .fail)
        #expect(level("transport") { $0.environment = ["OMPI_MCA_btl": "tcp,self"] } == .warn)
        #expect(level("transport") { $0.environment = ["OMPI_MCA_btl": "vader,self"] } == .ok)
        #expect(level("transport") { $0.environment = ["OMPI_MCA_btl": "^openib"] } == .ok)
    }

    @Test func memoryAndLimits() {
        #expect(level("memory") { $0.memory.available = 1 << 29 } == .warn)
        #expect(level("memory") { $0.memory.controlGroupLimit = 2 << 30 } == .warn)
        #expect(level("memory") { $0.memory.available = nil } == .ok)
        #expect(level("/dev/shm") { $0.sharedMemory?.free = 100 << 20 } == .warn)
        #expect(level("/dev/shm") { $0.sharedMemory?.free = 1 << 20 } == .fail)
        #expect(level("/dev/shm") { $0.sharedMemory = nil } == nil)
        #expect(level("open files") { $0.limits.openFiles = 256 } == .warn)
        #expect(level("locked memory") { $0.limits.lockedMemory = 4096 } == .warn)
        #expect(level("disk") { $0.currentDirectory?.free = 1 << 20 } == .warn)
    }

    @Test func crowdedAndIdleProcessors() {
        #expect(level("threads and binding") { $0.place.processors = [0] } == .warn)
        #expect(
            level("idle processors") {
                $0.place.processors = [0]
                $0.place.threads = 1
            } == .warn)
        let found = findings(ranks: 2, "threads and binding") { ranks in
            for rank in 0..<2 {
                ranks[rank].place = RankBinding(host: "n0", process: Int32(rank), processors: [1], threads: 1)
            }
        }
        #expect(found.map(\.level) == [.warn])
        #expect(found[0].text == "ranks 0, 1 on n0: 2 threads on processor 1")
    }

    @Test func ranksThatDifferAreNamed() {
        let kernels = findings(ranks: 3, "kernels differ") { $0[2].matrixKernel = "OpenBLAS 0.3.21 Zen" }
        #expect(kernels.map(\.level) == [.fail])
        #expect(kernels[0].text.contains("rank 2 on n2 has OpenBLAS 0.3.21 Zen"))
        #expect(findings(ranks: 2, "processors differ") { $0[1].processor.model = "Intel" }.map(\.level) == [.warn])
        #expect(findings(ranks: 2, "ranks") { _ in }.map(\.level) == [.ok])
    }

    @Test func everyMachineIsNamedWhereThereAreSeveral() {
        let found = findings(ranks: 2, "HDF5") { $0[1].hdf5IsParallel = false }
        #expect(found.map(\.subject) == ["n0: HDF5", "n1: HDF5"])
        #expect(found.map(\.level) == [.ok, .fail])
    }

    @Test func aForcedKernelThatCostsIsWarnedAbout() {
        func status(_ rate: Double) -> Finding.Level {
            let forced = ForcedKernel(
                variables: ["OPENBLAS_CORETYPE=Haswell"], forced: GemmRate(kernel: "Haswell", flops: rate),
                free: GemmRate(kernel: "SkylakeX", flops: 255e9))
            return DoctorReport(JobReport(ranks: [Self.healthy], isLaunched: false, forcedKernel: forced)).status
        }
        #expect(status(138e9) == .warn)
        #expect(status(250e9) == .ok)
    }

    @Test func aFailureSetsTheExitCode() {
        var facts = Self.healthy
        facts.hdf5IsParallel = false
        let checkup = DoctorReport(JobReport(ranks: [facts], isLaunched: false, forcedKernel: nil))
        #expect(checkup.status == .fail)
        #expect(checkup.failure?.status == .unavailable)
        #expect(checkup.failure?.message.contains("HDF5") == true)
    }
}
