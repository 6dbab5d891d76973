import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import Inference
import Model
import Parallelism
import RunFormat
import Tensors
import TestSupport
import Testing
import Threading
import Training

@Suite("Average of the parameters", .serialized) struct AverageRunTests {
    private let decay = 0.75
    private let keeps = ["optimizer.ema_decay=0.75", "checkpoint.every_steps=1", "checkpoint.keep=99"]

    private func reader(_ run: TinyRun, _ step: Int) throws -> CheckpointReader {
        try CheckpointReader("\(run.directory.checkpoints)/step-0000000\(step)")
    }

    /// `[name: numbers]` of the tensors of a folder.
    private func numbers(_ reader: CheckpointReader, _ folder: String) throws -> [String: [Float]] {
        let tensors = reader.tensors.filter { $0.name.hasPrefix(folder + "/") }
        return Dictionary(
            uniqueKeysWithValues: try tensors.map {
                (String($0.name.dropFirst(folder.count + 1)), try reader.read($0.name).array)
            })
    }

    private func initial(_ run: TinyRun) throws -> [String: [Float]] {
        let configuration = try run.resolved()
        let arena = ParameterArena(ParameterLayout(configuration.model, .all))
        Initialization(configuration).fill(arena, on: ThreadPool(count: 1))
        return Dictionary(
            uniqueKeysWithValues: arena.layout.all.map { (arena.layout[$0].name, arena.vector($0).array) })
    }

    @Test("it follows the parameters as its formula says, and stands still in skipped steps")
    func formula() throws {
        try inScratchFolder { folder in
            let outliers = [
                "optimizer.outlier_sigmas=0.3", "optimizer.outlier_window=4", "optimizer.skip_limit=9",
                "optimizer.kind=muon", "routing.balancing=bias",
            ]
            let run = try TinyRun(in: folder, keeps + outliers, length: "steps: 9")
            try run.train(ranks: 2)
            let skipped = Set(try run.records().filter { $0.skipped == true }.map(\.step))
            try #require(!skipped.isEmpty && skipped.count < 7)
            var expected = try initial(run).mapValues { $0.map(Double.init) }
            for step in 1...9 {
                let reader = try reader(run, step)
                let weights = try numbers(reader, "parameters"), found = try numbers(reader, "ema")
                #expect(found.keys.sorted() == weights.keys.sorted() && found.count == expected.count)
                var worst = LargestDeviation()
                for (name, values) in weights {
                    if !skipped.contains(step) {
                        expected[name] = zip(expected[name] ?? [], values).map { decay * $0 + (1 - decay) * Double($1) }
                    }
                    for (a, b) in zip(found[name] ?? [], expected[name] ?? []) { worst.add(Double(a), expected: b) }
                }
                #expect(worst.value <= 1e-6, "step \(step)")
            }
        }
    }

    @Test(
        "bits are the same on every layout, and those of the training are those without it",
        arguments: ["adamw", "muon"])
    func layouts(optimizer: String) throws {
        try inScratchFolder { folder in
            let given = [
                "optimizer.kind=\(optimizer)", "model.d_model=96", "model.vocabulary_size=3000", "train.steps=6",
                "train.validate_every=2", "checkpoint.every_steps=2",
            ]
            let without = try TinyRun(in: folder, given + ["run.directory=\(folder)/without"])
            try without.train(ranks: 1)
            let run = try TinyRun(in: folder, given + ["optimizer.ema_decay=0.75"])
            try run.train(ranks: 1)
            let expected = try run.records(), tensors = try reader(run, 6).tensors
            #expect(
                expected.map(\.parameterDigest) == (try run.records(of: "without")).map(\.parameterDigest))
            #expect(expected.map { $0.emaValidationLoss != nil } == [false, true, false, true, false, true])
            #expect(expected.compactMap(\.emaValidationLoss) != expected.compactMap(\.validationLoss))
            try FileManager.default.removeItem(atPath: run.directory.path)
            try run.train(ranks: 4, ["train.steps=2", "parallel.distributed_optimizer=true"])
            try run.train(ranks: 3, ["train.steps=3", "parallel.threads_per_rank=2"])
            try run.train(
                ranks: 2, ["train.steps=5", "parallel.distributed_optimizer=true", "checkpoint.overlap=true"])
            try run.train(ranks: 4, ["parallel.expert_parallel=2", "precision=float32"])
            let found = try run.records()
            #expect(found.map(\.parameterDigest) == expected.map(\.parameterDigest))
            #expect(found.last?.emaValidationLoss == expected.last?.emaValidationLoss)
            #expect(found[1].emaValidationLoss == expected[1].emaValidationLoss)
            #expect(try reader(run, 6).tensors.map(\.digest) == tensors.map(\.digest))
            #expect(tensors.contains { $0.name.hasPrefix("ema/") })
        }
    }

    @Test("a run that resumes without one begins it there; `--from` takes the parameters") func begins() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["checkpoint.every_steps=1"], length: "steps: 5")
            try run.train(["train.steps=3"])
            #expect(try reader(run, 3).hasAverages == false)
            try run.train(["train.steps=4"] + keeps)
            let (before, after) = (try reader(run, 3), try reader(run, 4))
            let (old, new, found) = (
                try numbers(before, "parameters"), try numbers(after, "parameters"), try numbers(after, "ema")
            )
            var worst = LargestDeviation()
            for (name, values) in found {
                for i in values.indices {
                    let expected = decay * Double(old[name]?[i] ?? .nan) + (1 - decay) * Double(new[name]?[i] ?? .nan)
                    worst.add(Double(values[i]), expected: expected)
                }
            }
            #expect(found.count == new.count && worst.value <= 1e-6)
            // An average that is no longer kept is no obstacle.
            try run.train()
            #expect(try reader(run, 5).hasAverages == false)
            let next = try TinyRun(in: folder, keeps + ["run.directory=\(folder)/next"], length: "steps: 1")
            try next.train(start: .weights("\(run.directory.checkpoints)/step-00000004"))
            let first = try CheckpointReader("\(folder)/next/checkpoints/step-00000001")
            let moved = try numbers(first, "parameters"), average = try numbers(first, "ema")
            for (name, values) in average where name == "head" {
                for i in values.indices {
                    let expected = decay * Double(new[name]?[i] ?? .nan) + (1 - decay) * Double(moved[name]?[i] ?? .nan)
                    worst.add(Double(values[i]), expected: expected)
                }
            }
            #expect(worst.value <= 1e-6)
        }
    }

    @Test("a checkpoint's average evaluates to the loss of its record; one without is refused") func evaluates() throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, keeps + ["data.validation=\(folder)/text.txt"], length: "steps: 4")
            try run.train(ranks: 2)
            let record = try #require(try run.records().last), tokens = "\(run.directory.data)/validation.tokens"
            let path = "\(run.directory.checkpoints)/step-00000004"
            for (takesAverage, expected) in [(false, record.validationLoss), (true, record.emaValidationLoss)] {
                let loss = try VirtualRanks.run(2) { world in
                    let reader = try CheckpointReader(path, sharedBy: world)
                    if takesAverage { try reader.takeAverages() }
                    let model = try StoredModel(reader, threads: 1, on: world)
                    return try model.evaluate([tokens], in: folder, on: world, unless: RunControl(world)) { _ in }.loss
                }
                #expect(loss[0] == expected && loss[1] == expected)
            }
            let plain = try TinyRun(in: folder, ["run.directory=\(folder)/plain"], length: "steps: 1")
            try plain.train()
            let reader = try CheckpointReader("\(folder)/plain/checkpoints/step-00000001")
            let failure = #expect(throws: Failure.self) { try reader.takeAverages() }
            #expect(failure?.status == .data && failure?.message.contains("no average") == true)
        }
    }

    @Test("it takes the memory that the estimate says", arguments: [false, true]) func memory(isDistributed: Bool)
        throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, keeps + ["parallel.distributed_optimizer=\(isDistributed)"])
            let configuration = try run.resolved()
            let held = try VirtualRanks.run(2) { world in
                let engine = try Engine(
                    configuration, expertParallelSize: 2, threads: 1, forTraining: false, on: world)
                return 4 * (TrainingState(for: engine).average?.count ?? 0)
            }
            let estimate = MemoryEstimate(configuration, try JobLayout(configuration, ranks: 2))
            #expect(held.max() == estimate.average && estimate.average > 0)
            let without = MemoryEstimate(
                try run.resolved(["optimizer.ema_decay=0"]), try JobLayout(configuration, ranks: 2))
            #expect(without.average == 0 && estimate.total - without.total == estimate.average)
        }
    }
}
