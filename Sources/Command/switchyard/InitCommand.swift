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
            let folder = directory == "." ? "" : directory.hasSuffix("/") ? directory : directory + "/"
            let file = "\(folder)config.yaml"
            guard !fileExists(file) else {
                throw Failure(
                    .cannotCreate, "\(file) is there already",
                    advice: "name another directory; nothing has been changed")
            }
            let (bytes, remark) = dataSeen()
            let starter = StarterConfiguration(data: data, bytes: bytes, directory: "\(folder)run")
            try writeText(starter.yaml, to: file)
            let next = "next: switchyard train \(shellQuoted(file)) --check"
            try StandardOutput.write([file, remark, next].compactMap(\.self).joined(separator: "\n"))
        }
    }

    /// The size of the texts, and what to say of them where training on them would fail.
    private func dataSeen() -> (bytes: Int?, remark: String?) {
        do throws(Failure) {
            guard case .texts(let bytes) = try FoundData(at: data) else { return (nil, nil) }
            let least = 1 << 16
            let remark = "\(data) has \(byteCount(bytes)) of text: too little for a model to learn from"
            return (bytes, bytes < least ? remark : nil)
        } catch {
            return (.max, "\(error.message). Name your texts in `data.train`")
        }
    }
}
