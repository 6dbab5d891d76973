import ArgumentParser
import Configuration
import Diagnostics
import Training

/// A configuration file and what the command line changes of it.
struct ConfigurationOptions: ParsableArguments {
    @Argument(
        help: "The run's configuration, YAML; `switchyard init` writes one to start from.", transform: path)
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
        try configurationText(
            of: configuration, "configuration file", advice: "`switchyard init` writes one to start from")
    }
}
