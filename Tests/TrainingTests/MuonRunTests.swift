import TestSupport
import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import Model
import Parallelism
import RunFormat
import Tensors
import Testing
import Training

@Suite("Training with Muon", .serialized) struct MuonRunTests {
    private let muon = ["optimizer.kind=muon", "train.steps=6", "train.validate_every=0"]

    private func last(_ run: TinyRun) throws -> [StoredTensor] {
        try CheckpointReader("\(run.directory.checkpoints)/step-00000006").tensors
    }

    /// Wide enough for shards that would cut within matrices.
    @Test("a run goes on from its middle on other ranks and threads, bit for bit") func goesOn() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, muon + ["model.d_model=96", "checkpoint.every_steps=2"])
            try run.train(ranks: 1)
            let expected = try run.records(), tensors = try last(run)
            try FileManager.default.removeItem(atPath: run.directory.path)
            try run.train(ranks: 4, ["train.steps=2", "parallel.expert_parallel=2"])
            try run.train(ranks: 3, ["train.steps=3", "parallel.threads_per_rank=2"])
            try run.train(
                ranks: 2, ["train.steps=5", "parallel.distributed_optimizer=true", "checkpoint.overlap=true"])
            try run.train(ranks: 4, ["parallel.expert_parallel=1", "checkpoint.shards=2"])
            let found = try run.records()
            #expect(found.map(\.parameterDigest) == expected.map(\.parameterDigest))
            #expect(found.map(\.gradientDigest) == expected.map(\.gradientDigest))
            #expect(try last(run).map(\.digest) == tensors.map(\.digest))
            #expect(Set(found.map(\.parameterDigest)).count == 6)
        }
    }

    @Test("checkpoints have no second moment of its matrices; the others' updates are AdamW's") func stored() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, muon + ["train.steps=1"])
            try run.train(ranks: 2)
            let adamW = try TinyRun(in: folder, ["train.steps=1", "run.directory=\(folder)/adamw"])
            try adamW.train(ranks: 1)
            func reader(_ name: String) throws -> CheckpointReader {
                try CheckpointReader("\(folder)/\(name)/checkpoints/step-00000001")
            }
            let (found, expected) = (try reader("run"), try reader("adamw"))
            let hidden = ["attention.qkv", "attention.output", "experts.gate_up", "experts.down"]
            func isHidden(_ name: String) -> Bool { hidden.contains { name.hasSuffix($0) } }
            let kept = expected.tensors.map(\.name).filter { !($0.hasPrefix("optimizer/second") && isHidden($0)) }
            #expect(found.tensors.map(\.name).sorted() == kept.sorted())
            #expect(kept.count == expected.tensors.count - 8)
            for name in kept where name.hasPrefix("parameters/") {
                let isEqual = try found.read(name).array == expected.read(name).array
                #expect(isEqual == !isHidden(name), "\(name)")
            }
        }
    }

    @Test("moments take memory as the estimate says", arguments: [(1, 1), (2, 1), (2, 2), (4, 2)])
    func memory(ranks: Int, expertParallelSize: Int) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, muon + ["model.d_model=96", "checkpoint.overlap=true"])
            let configuration = try run.resolved(["parallel.expert_parallel=\(expertParallelSize)"])
            let held = try VirtualRanks.run(ranks) { world in
                let engine = try Engine(
                    configuration, expertParallelSize: expertParallelSize, threads: 1, forTraining: false, on: world)
                let state = TrainingState(for: engine)
                let written = state.writtenShards.reduce(0) { $0 + 4 * $1.values.count }
                return (moments: 4 * (state.firstMoment.count + state.secondMoment.count), written: written)
            }
            let estimate = MemoryEstimate(configuration, try JobLayout(configuration, ranks: ranks))
            #expect(held.map(\.moments).max() == estimate.moments)
            #expect(abs(estimate.staging - (held.map(\.written).max() ?? 0)) <= 4 * 16 * 3 * 40)
            let model = configuration.model, cost = ModelCost(model)
            // Attention, and experts: 4·96² and 4 experts of 3·96·288 in each of two layers.
            let matrices = 2 * (4 * 96 * 96 + 4 * 3 * 96 * 288)
            #expect(held.reduce(0) { $0 + $1.moments } - 4 * (2 * cost.totalParameters - matrices) <= 4 * 16 * 40)
            #expect(held.reduce(0) { $0 + $1.written } == 4 * (3 * cost.totalParameters - matrices))
        }
    }

    @Test("a run changes from AdamW to Muon if it is allowed to, and not back: second moments are gone")
    func changes() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, length: "steps: 9")
            try run.train(["train.steps=3"])
            let kind = "optimizer.kind"
            let refusal = try run.refusal(["\(kind)=muon", "train.steps=6"])
            #expect(refusal?.status == .configuration && refusal?.message.contains(#""adamw" → "muon""#) == true)
            #expect(try run.refusal(["\(kind)=muon", "train.steps=6"], allowing: [kind]) == nil)
            let back = try run.refusal(allowing: [kind])
            #expect(back?.status == .data && back?.message.contains("second_moment") == true)
            #expect(try run.refusal(["\(kind)=muon"]) == nil)
            #expect(try run.records().map(\.step) == Array(1...9))
        }
    }
}
