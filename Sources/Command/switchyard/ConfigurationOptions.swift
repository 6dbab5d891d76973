import ArgumentParser
import Configuration
import Diagnostics
import Foundation
import Platform
import Training

/// A configuration file and what the command line changes of it.
struct ConfigurationOptions: ParsableArguments {
    @Argument(help: "The run's configuration, YAML.", transform: path)
    var configuration: String

    @Option(name: .customLong("set"), help: "Overrides a key: --set model.d_model=256. May be repeated.")
    var overrides: [String] = []

    /// - Parameters:
    ///   - more: overrides that count more than the command line's
    ///   - text: what stands in the file; read if not given
    func read(_ more: [String] = [], of text: String? = nil) throws(Failure) -> RunConfiguration {
        let yaml = if let text { text } else { try self.text() }
        return try RunConfiguration(ConfigurationDocument(yaml: yaml, file: configuration, overrides: overrides + more))
    }

    /// What stands in the file.
    func text() throws(Failure) -> String {
        guard FileManager.default.fileExists(atPath: configuration) else {
            throw Failure(
                .noInput, "there is no configuration file \(configuration)", advice: "configs/ holds examples")
        }
        let bytes = try RegularFile(configuration).contents(limit: 1 << 24)
        guard let text = String(bytes: bytes, encoding: .utf8) else {
            throw Failure(.configuration, "\(configuration) is not UTF-8 text")
        }
        return text
    }
}
