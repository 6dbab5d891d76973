package import Configuration
import Data
package import Diagnostics
package import Platform
import RunFormat

extension InputsAndOutputs {
    /// All that a run writes, in its directory, beside what it reads: configuration, corpus, tokenizer, the checkpoint that
    /// it starts from. The run's own `config.yaml` may be its configuration.
    /// - Parameters:
    ///   - file: the configuration's
    ///   - text: what stands in it
    ///   - start: the checkpoint that the run starts from, if there is one
    package static func ofRun(
        _ configuration: RunConfiguration, file: String, text: String, start: String?
    ) throws(Failure) -> InputsAndOutputs {
        var places = InputsAndOutputs()
        let directory = RunDirectory(configuration.directory)
        if !RunConfiguration.isStored(text) { places.reads(file, as: "the configuration file") }
        for (path, key) in configuration.data.inputs() { places.reads(path, as: key) }
        if let start { places.reads(start, as: "the checkpoint to start from", isWhole: true) }
        let files = [directory.configuration, directory.summary, directory.trace, "\(directory.path)/lock"]
        for path in files + RecordWriter.files(configuration.metrics, in: directory) {
            places.writes(path, as: "run.directory")
        }
        for path in try configuration.data.tokenFiles(in: directory.data) {
            places.writesWhole(path, as: "run.directory")
        }
        return places
    }
}

extension RunConfiguration {
    /// Whether `text` is what a run stores, so that nothing of a user's is lost when it is written again. An earlier version
    /// knew fewer keys.
    fileprivate static func isStored(_ text: String) -> Bool {
        guard let document = try? ConfigurationDocument(yaml: text, file: "stored", isStored: true),
            let configuration = try? RunConfiguration(document)
        else { return false }
        let lines = Set(lines(of: configuration.yaml))
        return self.lines(of: text).allSatisfy(lines.contains)
    }

    /// Numbers as they are written now: earlier versions wrote `1e-05`.
    private static func lines(of text: String) -> [String] {
        text.split(separator: "\n").map { String($0.replacing(/: (-?\d+)e/) { match in ": \(match.1).0e" }) }
    }
}
