import TestSupport
import Configuration
import Diagnostics
import Foundation
import Platform
import RunFormat
import Testing
import Training

struct RunFilesTests {
    @Test("every file that a run writes is refused as its input") func outputsAreDeclared() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["metrics.formats=[csv, tensorboard]"], length: "steps: 2")
            try run.train(ranks: 1)
            let configuration = try run.configuration()
            var names: [String] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: run.directory.path) {
                let path = "\(run.directory.path)/\(name)"
                guard (try? RegularFile(path)) != nil else { continue }
                names.append(name)
                let failure = #expect(throws: Failure.self, "\(name)") {
                    try InputsAndOutputs.ofRun(configuration, file: path, text: "seed: 1", start: nil)
                        .check(.configuration)
                }
                #expect(failure?.status == .configuration)
            }
            #expect(Set(names).isSuperset(of: ["config.yaml", "run.json", "metrics.jsonl", "metrics.csv"]))
        }
    }

    @Test("what lies where a run's records go is found before anything is tokenized, also by a forecast")
    func foreignRecords() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["metrics.formats=[csv, tensorboard]"])
            try FileManager.default.createDirectory(atPath: run.directory.path, withIntermediateDirectories: true)
            for (name, text, words) in [
                ("metrics.csv", "date,amount\n2026-01-01,3\n", "is no table of records"),
                ("tensorboard", "notes", "is no directory"),
            ] {
                let path = "\(run.directory.path)/\(name)"
                try Data(text.utf8).write(to: URL(filePath: path))
                let configuration = try run.configuration()
                let forecast = #expect(throws: Failure.self) {
                    try onOneRank { try RunForecast(configuration, .ofTests, on: $0) }
                }
                for failure in [forecast, try run.refusal()] {
                    #expect(failure?.status == .cannotCreate)
                    #expect(failure?.message.contains("\(path) \(words)") == true)
                }
                #expect(!FileManager.default.fileExists(atPath: run.directory.data))
                // Without that format it is not in the way.
                let other = name == "tensorboard" ? "csv" : "tensorboard"
                let without = try run.configuration(["metrics.formats=[\(other)]"])
                #expect(try onOneRank { try RunForecast(without, .ofTests, on: $0) }.obstacle == nil)
                try FileManager.default.removeItem(atPath: path)
            }
            #expect(try run.refusal() == nil)
            #expect(try run.refusal(["train.steps=9"]) == nil, "its own files")
        }
    }

    /// What a run stores may be read again under the name where it is written; a user's own words there would be lost.
    @Test("a run's own configuration may be its configuration, also as earlier versions wrote numbers") func ownFile()
        throws
    {
        try inScratchFolder { folder in
            let configuration = try TinyRun(in: folder).configuration(), stored = configuration.yaml
            let file = "\(configuration.directory)/config.yaml"
            #expect(stored.contains("epsilon: 1.0e-08"))
            try FileManager.default.createDirectory(atPath: configuration.directory, withIntermediateDirectories: true)
            try Data(stored.utf8).write(to: URL(filePath: file))
            for text in [stored, stored.replacing("1.0e-", with: "1e-")] {
                try InputsAndOutputs.ofRun(configuration, file: file, text: text, start: nil).check(.configuration)
            }
            #expect(throws: Failure.self) {
                try InputsAndOutputs.ofRun(configuration, file: file, text: "# mine\n" + stored, start: nil)
                    .check(.configuration)
            }
        }
    }
}
