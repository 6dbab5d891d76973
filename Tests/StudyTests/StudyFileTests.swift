import Configuration
import Diagnostics
import Foundation
import Model
import Study
import Testing

/// A study's file in a folder of its own.
func inStudyFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "study-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let base = """
        data: {train: \(folder)/text.txt, validation: tail 0.1}
        model: {d_model: 32, layers: 1, heads: 2, context: 32}
        batch: {tokens: 256}
        train: {steps: 4}
        """
    try Data(base.utf8).write(to: URL(filePath: "\(folder)/base.yaml"))
    try body(folder)
}

func study(_ folder: String, _ lines: String) throws -> Study {
    try Study(yaml: "base: \(folder)/base.yaml\ndirectory: \(folder)/study\n\(lines)", file: "study.yaml")
}

@Suite("Study files") struct StudyFileTests {
    @Test("every entry of the list with every combination of the grid and every seed, named by what differs")
    func rows() throws {
        try inStudyFolder { folder in
            let study = try study(
                folder,
                """
                list: [{model.d_model: 32, model.heads: 2}, {model.d_model: 64, model.heads: 2}]
                grid:
                  model.experts: [1, 4]
                  optimizer.learning_rate: 2e-3
                seeds: [0, 3]
                ends: [1024, 2048]
                """)
            #expect(
                study.rows.map(\.name) == [
                    "d_model=32_experts=1_seed=0", "d_model=32_experts=1_seed=3", "d_model=32_experts=4_seed=0",
                    "d_model=32_experts=4_seed=3", "d_model=64_experts=1_seed=0", "d_model=64_experts=1_seed=3",
                    "d_model=64_experts=4_seed=0", "d_model=64_experts=4_seed=3",
                ])
            let last = try #require(study.rows.last).configuration
            #expect((last.model.dModel, last.model.experts, last.seed) == (64, 4, 3))
            #expect(last.optimizer.learningRate == .value(2e-3))
            #expect(last.length.goal == .tokens(2048) && last.length.branches == [1024])
            #expect(last.directory == "\(folder)/study/runs/d_model=64_experts=4_seed=3")
            #expect(Set(study.rows.map(\.fingerprint)).count == 8)
            #expect(Set(study.rows.map(\.shape)).count == 4)
        }
    }

    @Test("budgets give every model the whole steps nearest to their FLOPs") func budgets() throws {
        try inStudyFolder { folder in
            let study = try study(folder, "grid: {model.d_model: [32, 64]}\nbudgets: [1e9, 4e9]")
            for row in study.rows {
                #expect(row.ends.count == 2 && row.ends.allSatisfy { $0 % 256 == 0 })
                for (end, budget) in zip(row.ends, [1e9, 4e9]) {
                    let flops = row.cost.flopsPerToken * Double(end)
                    #expect(abs(flops - budget) <= row.cost.flopsPerToken * 128)
                }
            }
        }
    }

    @Test("values that are lists, texts with odd letters, keys of one last part") func values() throws {
        try inStudyFolder { folder in
            let study = try study(
                folder,
                """
                grid:
                  model.experts: [[1], [4]]
                  model.norm: [rms, layer]
                  batch.tokens: [256, 512]
                  train.tokens: [1024, 2048]
                  train.steps: [null]
                """)
            #expect(study.rows.count == 16)
            #expect(study.rows[0].name == "experts=-1-_norm=rms_batch.tokens=256_train.tokens=1024")
            #expect(study.rows[15].configuration.model.norm == .layer && study.rows[15].ends == [2048])
        }
    }

    @Test(
        "what cannot be meant is refused, with the row",
        arguments: [
            ("grid: {model.heads: [2, 3]}", "row heads=3: "), ("gird: {}", "unknown key `gird`"),
            ("ends: [1024]\nbudgets: [1e9]", "`budgets` and `ends` are both given"),
            ("budgets: [x]", "has `x`; budgets are FLOPs"),
            ("grid: {model.layers: []}", "has no value for model.layers"),
            ("grid: {data.validation: none}", "no run has a result"), ("list: [3]", "list of blocks of keys"),
            ("grid: {model.layrs: [1]}", "unknown key `model.layrs`"),
        ])
    func refused(lines: String, message: String) throws {
        try inStudyFolder { folder in
            let failure = #expect(throws: Failure.self) { try study(folder, lines) }
            #expect(failure?.message.contains(message) == true, "\(failure as Any)")
        }
    }

    @Test("the table reads back, and one of another study is refused") func table() throws {
        try inStudyFolder { folder in
            let study = try study(folder, "grid: {model.experts: [1, 4]}\nends: [512, 1024]")
            let row = study.rows[1]
            let header =
                "n_active,n_total,n_embedding,vocabulary_size,context,tokens,flops,experts,granularity,top_k,loss,learning_rate,"
                + "batch_tokens,seed,row,configuration,parameter_digest\n"
            let lines = row.ends.map { end in
                "5,7,2,257,32,\(end),1500000000000.0,4,1,1,0.3333333333333333,0.001,256,0,\(row.name),\(row.fingerprint),00ff\n"
            }
            let text = header + lines.joined()
            let results = try StudyTable.results(csv: text, file: "runs.csv")
            #expect(results.map(\.tokens) == [512, 1024] && results[0].loss == 1 / 3.0 && results[0].experts == 4)
            #expect(StudyTable.csv(results) == text)
            try FileManager.default.createDirectory(
                atPath: study.directory.path, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: study.directory.table))
            let queue = try StudyQueue(study)
            #expect(try queue.outcome(of: row)?.results == results && queue.outcome(of: study.rows[0]) == nil)
            let other = try self.other(folder)
            let failure = #expect(throws: Failure.self) { try StudyQueue(other) }
            #expect(failure?.message.contains("with another configuration than the study's") == true)
            #expect(try String(contentsOfFile: study.directory.table, encoding: .utf8) == text)
            for line in ["1,2", text.replacing(",0.3333", with: ",x.3333")] {
                #expect(throws: Failure.self) { try StudyTable.results(csv: line, file: "runs.csv") }
            }
        }
    }

    private func other(_ folder: String) throws -> Study {
        try study(folder, "grid: {model.experts: [1, 4], optimizer.learning_rate: 5}\nends: [512, 1024]")
    }
}
