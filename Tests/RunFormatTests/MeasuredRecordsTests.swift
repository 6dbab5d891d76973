import Diagnostics
import Foundation
import RunFormat
import Testing

/// What scaling laws read of a run, against what training writes.
@Suite struct MeasuredRecordsTests {
    private func losses(_ line: String) throws -> StepLosses {
        try StepRecord.decoder().decode(StepLosses.self, from: Data(line.utf8))
    }

    @Test("the losses of a written record are read under its names")
    func writtenRecord() throws {
        var record = StepRecord()
        (record.tokens, record.loss, record.totalLoss, record.validationLoss) = (3000, 3.5, 4.5, 3.25)
        let read = try losses(String(decoding: try JSONEncoder().encode(record), as: UTF8.self))
        #expect(read.tokens == 3000 && read.loss == 3.5 && read.validationLoss == 3.25)
    }

    @Test("a record of other software may hold the tokens alone; text stands for numbers that are not finite")
    func shortRecord() throws {
        let short = try losses("{\"tokens\": 1e9}")
        #expect(short.tokens == 1e9 && short.loss == nil && short.validationLoss == nil)
        let diverged = try losses("{\"tokens\": 5, \"loss\": \"NaN\", \"validation_loss\": \"Infinity\"}")
        #expect(diverged.loss?.isNaN == true && diverged.validationLoss == .infinity)
        #expect(throws: DecodingError.self) { try losses("{\"loss\": 2}") }
    }

    @Test("numbers that are not finite are written as text and read again") func notFinite() throws {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .ofRecords
        let text = try encoder.encode([Double(nan: 7, signaling: false), .infinity, -.infinity, 1.5])
        #expect(String(decoding: text, as: UTF8.self) == #"["NaN","Infinity","-Infinity",1.5]"#)
        let read = try StepRecord.decoder().decode([Double].self, from: text)
        #expect(read[0].isNaN && read[1...] == [.infinity, -.infinity, 1.5])
    }

    @Test("the sizes of a written run.json are read under its names")
    func writtenSummary() throws {
        let json = """
            {"n_active": 30, "n_total": 50, "n_embedding": 10, "vocabulary_size": 300, "context": 64, "experts": 4,
             "granularity": 2, "top_k": 1, "flops_per_token": 190.5, "ranks": 1, "expert_parallel": 1,
             "threads_per_rank": 1, "micro_batches_in_flight": 1, "overlap_reduction": false,
             "distributed_optimizer": false, "reproducible": true, "kernels": "", "gemm_peak_flops": 1}
            """
        let summary = try JSONDecoder.ofRecords().decode(RunSummary.self, from: Data(json.utf8))
        let sizes = try JSONDecoder.ofRecords().decode(RunSizes.self, from: Data(summary.json.utf8))
        #expect(sizes.active == 30 && sizes.total == 50 && sizes.embedding == 10 && sizes.flopsPerToken == 190.5)
        #expect(sizes.experts == 4 && sizes.granularity == 2 && sizes.topK == 1)
        #expect(sizes.vocabularySize == 300 && sizes.context == 64)
    }
}
