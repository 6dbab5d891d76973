import ArgumentParser
import Diagnostics
import FileSystem
import Foundation
import Settings
import Training

/// A configuration file and what the command line changes of it.
struct ConfigurationOptions: ParsableArguments {
    @Argument(help: "The run's configuration, YAML.")
    var configuration: String

    @Option(name: .customLong("set"), help: "Overrides a key: --set model.d_model=256. May be repeated.")
    var overrides: [String] = []

    /// - Parameter more: overrides that count more than the command line's
    func read(_ more: [String] = []) throws(Failure) -> RunConfiguration {
        guard FileManager.default.fileExists(atPath: configuration) else {
            throw Failure(
                .noInput, "there is no configuration file \(configuration)", advice: "configs/ holds examples")
        }
        let bytes = try RegularFile(configuration).contents(limit: 1 << 24)
        guard let text = String(bytes: bytes, encoding: .utf8) else {
            throw Failure(.configuration, "\(configuration) is not UTF-8 text")
        }
        return try RunConfiguration(SettingsDocument(yaml: text, file: configuration, overrides: overrides + more))
    }
}
