import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import Parallelism
import RunFormat
import Tensors
import Testing
import Threading
import Training

/// A run of exact mode in a folder of its own, on virtual ranks.
struct TinyRun {
    let folder: String
    var changes: [String] = []
    let length: String

    var directory: RunDirectory { RunDirectory(folder + "/run") }

    /// - Parameter length: the block `train`
    init(in folder: String, _ changes: [String] = [], length: String = "steps: 8") throws {
        self.length = length
        self.folder = folder
        self.changes = changes
        let text = (0..<300).map { "Line \($0) of a text that a model of two layers can learn from, \($0).\n" }
        try Data(text.joined().utf8).write(to: URL(filePath: folder + "/text.txt"))
    }

    func configuration(_ more: [String] = []) throws -> RunConfiguration {
        let yaml = """
            run: {directory: \(directory.path)}
            reproducible: true
            data: {train: \(folder)/text.txt, validation: tail 0.1}
            model: {d_model: 32, layers: 2, heads: 2, context: 32, experts: 4}
            batch: {tokens: 256, micro_batch_tokens: 64}
            train: {\(length)}
            schedule: {kind: constant}
            checkpoint: {every_steps: 3, keep: 5}
            """
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: "tiny run", overrides: changes + more))
    }

    /// With the vocabulary of its tokenizer, bytes.
    func resolved(_ more: [String] = []) throws -> ResolvedConfiguration {
        try configuration(more).resolved(tokenizer: 257)
    }

    /// Trains from where it stands on `ranks` virtual ranks.
    /// - Parameters:
    ///   - allowed: keys that may have changed
    ///   - last: the job fails after this step, before it saves
    func train(
        ranks: Int = 2, _ more: [String] = [], start: TrainingOptions.Start = .random, allowing allowed: [String] = [],
        failingAfter last: Int? = nil
    ) throws {
        let configuration = try configuration(more)
        _ = try VirtualRanks.run(ranks) { world in
            var options = TrainingOptions.ofTests
            (options.start, options.allowedChanges) = (start, Set(allowed))
            options.observe = { _, state in
                if state.step == last { throw Failure(.temporaryFailure, "as the test asks") }
            }
            let setup = try TrainingSetup(configuration, on: world, options: options) { _ in }
            try TrainingRun(setup, on: world, progress: ProgressDisplay()).run()
        }
    }

    /// The failure that `train` ends with; nil if it succeeds.
    func refusal(
        _ more: [String] = [], start: TrainingOptions.Start = .random, allowing allowed: [String] = [],
        failingAfter last: Int? = nil
    ) throws -> Failure? {
        do {
            try train(more, start: start, allowing: allowed, failingAfter: last)
            return nil
        } catch let failure as Failure {
            return failure
        }
    }

    /// The corpus, written anew.
    func write(_ text: String, to file: String = "text.txt") throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(file)"))
    }

    /// Of the checkpoint of `step`, or of the newest.
    func checkpointRecord(_ step: Int? = nil) throws -> CheckpointRecord {
        let published = CheckpointFolder(directory.checkpoints).published
        let found = step == nil ? published.last : published.first { $0.step == step }
        let reader = try CheckpointReader(found?.directory ?? "none")
        try reader.close()
        return reader.record
    }

    /// Publishes the checkpoint of `step` anew with another record and other numbers, as if it had been so.
    func alter(
        _ step: Int, _ changeRecord: (inout CheckpointRecord) -> Void = { _ in },
        _ change: (String, Vector<Float>) -> Void = { _, _ in }
    ) throws {
        let reader = try CheckpointReader("\(directory.checkpoints)/step-0000000\(step)")
        let shards = try reader.tensors.map { tensor in
            let values = try reader.read(tensor.name)
            change(tensor.name, values)
            return TensorShard(name: tensor.name, shape: tensor.shape, values: values)
        }
        try reader.close()
        var changed = reader.record
        changeRecord(&changed)
        // A checkpoint of the same numbers would stay.
        try FileManager.default.removeItem(atPath: reader.directory)
        let (folder, record) = (directory.checkpoints, changed)
        _ = try VirtualRanks.run(1) { world in
            try CheckpointWriter(directory: folder, ranks: world, shards: 1).write(record, shards)
        }
    }

    /// Lines of `metrics.jsonl` in a run directory of the folder.
    func records(of name: String = "run") throws -> [StepRecord] {
        let bytes = try Data(contentsOf: URL(filePath: "\(folder)/\(name)/metrics.jsonl"))
        let decoder = StepRecord.decoder()
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(StepRecord.self, from: $0) }
    }

    /// Changes `metrics.jsonl` behind the run's back.
    func edit(_ change: (inout [String]) throws -> Void) throws {
        var lines = try String(contentsOfFile: directory.metrics, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        try change(&lines)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: directory.metrics))
    }
}

extension TrainingOptions {
    /// The defaults, with a short measurement of the GEMM peak, which no test compares.
    static var ofTests: TrainingOptions {
        var options = TrainingOptions()
        options.peakRounds = 1
        return options
    }
}
