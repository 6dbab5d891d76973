import Collectives
import Parallelism
import RunFormat
import Testing
import Training

@Suite("A GEMM peak that cannot be right") struct DoubtfulPeakTests {
    @Test("another measurement corrects a record, and what stays above 1 is marked") func corrected() {
        var record = StepRecord()
        (record.mfu, record.gemmPeakFlops, record.mfuIsDoubtful) = (1.2, 100, true)
        record.enter(gemmPeak: 110)
        #expect(abs(record.mfu - 1.2 * 100 / 110) < 1e-12 && record.gemmPeakFlops == 110)
        #expect(record.mfuIsDoubtful == true)
        record.enter(gemmPeak: 150)
        #expect(abs(record.mfu - 0.8) < 1e-12 && record.mfuIsDoubtful == nil)
    }

    @Test("one rank's doubt lets all measure, once", arguments: [1, 3]) func agreed(ranks: Int) throws {
        _ = try VirtualRanks.run(ranks) { world in
            let requests = RunControl(world)
            for (doubter, expected) in [(ranks - 1, true), (-1, false)] {
                let decision = try requests.agree(
                    isOverdue: false, isWriting: false, doubtsPeak: world.rank == doubter)
                #expect(decision.shouldMeasurePeak == expected && !decision.shouldSave && !decision.shouldStop)
            }
        }
    }
}
