import TestSupport
import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import Model
import Parallelism
import RunFormat
import Testing
import Training

@Suite("Saves while training goes on", .serialized) struct OverlapTests {
    /// Every step is saved, so that each save is still being written when the next step changes the state.
    private let cadence = ["checkpoint.every_steps=1", "checkpoint.keep=8"]

    @Test("hold the state of their step, to the bit", arguments: [1, 2, 3]) func sameStates(ranks: Int) throws {
        try inScratchFolder { folder in
            let plain = folder + "/plain", overlapping = folder + "/overlapping"
            for (place, overlaps) in [(plain, false), (overlapping, true)] {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                try TinyRun(in: place, cadence).train(ranks: ranks, ["checkpoint.overlap=\(overlaps)"])
            }
            let expected = try states(plain), found = try states(overlapping)
            #expect(expected.map(\.step) == Array(1...8))
            #expect(found.map(\.step) == expected.map(\.step))
            for (one, other) in zip(expected, found) {
                #expect(one.tensors.map(\.digest) == other.tensors.map(\.digest), "step \(one.step)")
            }
        }
    }

    private func states(_ folder: String) throws -> [(step: Int, tensors: [StoredTensor])] {
        try CheckpointFolder(folder + "/run/checkpoints").published.map {
            ($0.step, try CheckpointReader($0.directory).tensors)
        }
    }

    @Test("what training stood still for is on record") func stall() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["checkpoint.every_steps=3"])
            try run.train()
            let stalls = try run.records().filter { $0.checkpointStallSeconds != nil }.map(\.step)
            #expect(stalls.contains(4) && stalls.contains(7) && !stalls.contains(1) && !stalls.contains(3))
        }
    }

    @Test("take room for a copy only where they are possible") func room() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            func staging(_ changes: [String], ranks: Int = 2) throws -> Int {
                let configuration = try run.resolved(changes)
                return MemoryEstimate(configuration, try JobLayout(configuration, ranks: ranks)).staging
            }
            let overlap = "checkpoint.overlap=true"
            let all = try staging([overlap], ranks: 1), estimate = try run.resolved()
            #expect(all == 12 * ModelCost(estimate.model).totalParameters)
            #expect(try staging([overlap]) < all && staging([overlap]) > all / 3)
            #expect(try staging([]) == 0)
            #expect(try staging([overlap, "checkpoint.shards=1"]) == 0)
            #expect(try staging([overlap, "checkpoint.every_steps=0", "checkpoint.every_minutes=0"]) == 0)
        }
    }
}
