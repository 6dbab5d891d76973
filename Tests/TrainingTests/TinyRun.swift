import Collectives
import Diagnostics
import Foundation
import GEMM
import Metrics
import Settings
import Training

/// A run of exact mode in a folder of its own, on virtual ranks.
struct TinyRun {
    let folder: String
    var changes: [String] = []

    var directory: RunDirectory { RunDirectory(folder + "/run") }

    init(in folder: String, _ changes: [String] = []) throws {
        MatrixLibrary.prepare()
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
            batch: {tokens: 256, lane_tokens: 64}
            train: {steps: 8}
            schedule: {kind: constant}
            checkpoint: {every_steps: 3, keep: 5}
            """
        return try RunConfiguration(SettingsDocument(yaml: yaml, file: "tiny run", overrides: changes + more))
    }

    /// Trains from where it stands on `ranks` virtual ranks.
    func train(ranks: Int = 2, _ more: [String] = []) throws {
        let configuration = try configuration(more)
        _ = try VirtualRanks.run(ranks) { world in
            let setup = try TrainingSetup(configuration, on: world) { _ in }
            try TrainingRun(setup, on: world, progress: ProgressLine(), options: TrainingOptions()).run()
        }
    }

    /// Lines of `metrics.jsonl`.
    func records() throws -> [StepRecord] {
        let bytes = try Data(contentsOf: URL(filePath: directory.metrics))
        return try bytes.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(StepRecord.self, from: $0)
        }
    }

    /// Changes `metrics.jsonl` behind the run's back.
    func edit(_ change: (inout [String]) throws -> Void) throws {
        var lines = try String(contentsOfFile: directory.metrics, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        try change(&lines)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: directory.metrics))
    }
}

/// A folder that is gone after the test.
func inScratchFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "training-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}
