import ArgumentParser
import Configuration
import Data
import Diagnostics
import Platform

/// Writes a configuration to start from.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a commented configuration to start from.",
        discussion: """
            Nothing that exists is replaced. Examples:
              switchyard init mymodel --data texts
              switchyard train mymodel/config.yaml --check
              mpirun -np 2 switchyard train mymodel/config.yaml
            """)

    @Argument(help: "The directory to make it in.", transform: path) var directory = "."
    @Option(help: "Your texts: a file, a directory or a pattern.", transform: path) var data = "texts"

    func run() throws {
        try reportingFailures {
            let folder = directory == "." ? "" : directory + "/"
            let file = "\(folder)config.yaml"
            guard !fileExists(file) else {
                throw Failure(
                    .cannotCreate, "\(file) is there already",
                    advice: "name another directory; nothing has been changed")
            }
            let starter = StarterConfiguration(texts: data, directory: "\(folder)run")
            try writeText(starter.yaml, to: file)
            var lines = ["\(file)", "next: switchyard train \(file) --check"]
            if (try? filesRead(at: [data])) == nil {
                lines.insert("`data.train` in it is \(data), which does not exist yet: name your texts there", at: 1)
            }
            try StandardOutput.write(lines.joined(separator: "\n"))
        }
    }
}
