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

@Suite("Distributed optimizer", .serialized) struct DistributedOptimizerTests {
    private let distributed = "parallel.distributed_optimizer=true"

    /// Wide enough for slices that are cut within matrices.
    private let wide = ["model.d_model=96", "model.vocabulary_size=3000", "train.steps=6", "train.validate_every=0"]

    @Test("a run goes on with the other choice, on other ranks, bit for bit, saves that overlap included")
    func goesOn() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, wide + ["checkpoint.every_steps=2"])
            try run.train(ranks: 1)
            let expected = try run.records(), tensors = try last(run)
            try FileManager.default.removeItem(atPath: run.directory.path)
            try run.train(ranks: 4, ["train.steps=2", distributed, "parallel.expert_parallel=2"])
            try run.train(ranks: 3, ["train.steps=3"])
            try run.train(
                ranks: 2, ["train.steps=5", distributed, "parallel.expert_parallel=1", "checkpoint.overlap=true"])
            try run.train(ranks: 4, [distributed, "parallel.expert_parallel=4", "checkpoint.shards=2"])
            let found = try run.records()
            #expect(found.map(\.parameterDigest) == expected.map(\.parameterDigest))
            #expect(found.map(\.gradientDigest) == expected.map(\.gradientDigest))
            #expect(found.map(\.gradientNorm) == expected.map(\.gradientNorm))
            #expect(try last(run).map(\.digest) == tensors.map(\.digest))
        }
    }

    private func last(_ run: TinyRun) throws -> [StoredTensor] {
        try CheckpointReader("\(run.directory.checkpoints)/step-00000006").tensors
    }

    @Test("moments take memory for a rank's slices, as the estimate says", arguments: [(1, 1), (2, 1), (2, 2), (4, 2)])
    func memory(ranks: Int, expertParallelSize: Int) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, wide + ["model.d_model=256", "model.vocabulary_size=5000"])
            func moments(_ changes: [String]) throws -> (held: [Int], estimate: MemoryEstimate) {
                let configuration = try run.resolved(changes + ["parallel.expert_parallel=\(expertParallelSize)"])
                let held = try VirtualRanks.run(ranks) { world in
                    let engine = try Engine(
                        configuration, expertParallelSize: expertParallelSize, threads: 1, forTraining: false, on: world
                    )
                    let state = TrainingState(for: engine)
                    return 4 * (state.firstMoment.count + state.secondMoment.count)
                }
                return (held, MemoryEstimate(configuration, try JobLayout(configuration, ranks: ranks)))
            }
            let shared = try moments([distributed]), whole = try moments([])
            #expect(shared.held.max() == shared.estimate.moments)
            #expect(whole.held.allSatisfy { $0 == whole.estimate.moments })
            #expect(shared.estimate.parameters == whole.estimate.parameters)
            let total = 8 * ModelCost(try run.resolved().model).totalParameters
            #expect(shared.held.reduce(0, +) == total)
            #expect(shared.held.allSatisfy { abs($0 - total / ranks) <= 16 * ChunkPlan.extent })
        }
    }
}
