import Platform
import Testing

struct ProcessorTests {
    @Test func intelAndAMD() {
        let text = """
            processor\t: 0
            model name\t: AMD EPYC 9555
            flags\t\t: fpu avx2 fma avx512f avx512bw avx512cd avx512dq avx512vl avx512_bf16

            processor\t: 1
            model name\t: something else
            flags\t\t: fpu
            """
        let processor = Processor(cpuinfo: text, count: 2)
        #expect(processor.model == "AMD EPYC 9555")
        #expect(processor.count == 2)
        #expect(processor.supports(.avx512) && processor.supports(.avx2) && processor.supports(.baseline))
    }

    @Test func oldIntel() {
        let processor = Processor(cpuinfo: "model name : old\nflags : sse2 avx\n", count: 1)
        #expect(!processor.supports(.avx2) && processor.supports(.baseline))
    }

    @Test func arm() {
        let text = "processor : 0\nFeatures : fp asimd sve bf16\nCPU implementer : 0x41\nCPU part : 0xd40\n"
        let processor = Processor(cpuinfo: text, count: 64)
        #expect(processor.model == "Arm, implementer 0x41, part 0xd40")
        #expect(processor.features.contains("sve"))
    }

    @Test func aSystemThatTellsNothing() {
        #expect(Processor(cpuinfo: "", count: 1) == Processor(model: "unknown", features: [], count: 1))
    }

    /// The build that runs the tests was made for a processor that this one is.
    @Test func thisMachineRunsThisBuild() {
        let processor = Processor.ofThisMachine
        #expect(processor.count >= 1)
        #expect(processor.supports(.ofThisBuild))
    }

    @Test func hugePages() {
        #expect(SystemLimits.chosen("always [madvise] never\n") == "madvise")
        #expect(SystemLimits.chosen("nonsense") == nil)
    }

    @Test func spaceIsToldWhereThereIsAPlace() throws {
        let here = try #require(FileSystemSpace(at: "."))
        #expect(here.size >= here.free && here.size > 0)
        #expect(FileSystemSpace(at: "/nowhere at all") == nil)
    }
}
