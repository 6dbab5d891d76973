import Diagnostics
import Foundation
import Platform
import RunFormat
import Testing
import Training

struct RunFilesTests {
    @Test("every file that a run writes is refused as its input") func outputsAreDeclared() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, length: "steps: 2")
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
            #expect(Set(names).isSuperset(of: ["config.yaml", "run.json", "metrics.jsonl"]))
        }
    }
}
