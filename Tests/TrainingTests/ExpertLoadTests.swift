import Foundation
import RunFormat
import TestSupport
import Testing

@Suite("Records of the load of every expert", .serialized) struct ExpertLoadTests {
    private func records(
        in folder: String, _ name: String, ranks: Int, _ more: [String] = []
    ) throws -> [StepRecord] {
        let run = try TinyRun(in: folder, ["run.directory=\(folder)/\(name)", "routing.capacity_factor=1"] + more)
        try run.train(ranks: ranks)
        return try run.records(of: name)
    }

    @Test("all assignments of a step are counted, on every layout the same") func counts() throws {
        try inScratchFolder { folder in
            let choices = ["metrics.expert_load_every=3", "model.top_k=2", "model.experts=[4, 2]"]
            let one = try records(in: folder, "one", ranks: 1, choices)
            #expect(one.map { $0.expertLoad != nil } == (1...8).map { $0 % 3 == 0 })
            for record in one {
                guard let loads = record.expertLoad else { continue }
                #expect(loads.map(\.count) == [4, 2] && loads.allSatisfy { $0.reduce(0, +) == 512 })
                // Four micro-batches with a mean of 32 a micro-batch and expert: no expert has more than the four greatest.
                let greatest = try #require(loads[0].max())
                #expect(Double(greatest) <= record.loadImbalanceByLayer[0] * 32 * 4 + 1e-9)
                #expect(Double(greatest) >= 32 * 4)
            }
            for ranks in [2, 4] {
                #expect(
                    try records(in: folder, "on-\(ranks)", ranks: ranks, choices).map(\.expertLoad)
                        == one.map(\.expertLoad))
            }
        }
    }

    @Test("a dense model has none, and neither has a run that asks for none") func absence() throws {
        try inScratchFolder { folder in
            // Six micro-batches, whose sixths do not add up to one.
            let even = try records(in: folder, "even", ranks: 1, ["model.experts=1", "batch.tokens=384"])
            #expect(even.allSatisfy { $0.loadImbalanceByLayer == [1, 1] })
            for (name, change) in [("dense", "model.experts=1"), ("never", "metrics.expert_load_every=0")] {
                let records = try records(in: folder, name, ranks: 1, [change, "train.steps=10"])
                #expect(records.allSatisfy { $0.expertLoad == nil })
            }
            #expect(
                try self.records(in: folder, "default", ranks: 1, ["train.steps=11"]).compactMap(\.expertLoad).count
                    == 1)
        }
    }
}
