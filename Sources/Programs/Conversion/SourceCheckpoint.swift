package import Checkpoints
package import Configuration
import Data
package import Diagnostics
package import Tokenizers

/// A checkpoint with what it says about itself, read; its tensors stay on the disk.
package struct SourceCheckpoint {
    package let reader: CheckpointReader
    package let configuration: ResolvedConfiguration
    package let tokenizer: any Tokenizer

    package init(_ reader: CheckpointReader) throws(Failure) {
        self.reader = reader
        tokenizer = try readTokenizer(Array(reader.record.tokenizer.utf8), from: reader.directory)
        configuration = try Self.configuration(of: reader, tokenizer, overrides: [])
    }

    /// The stored configuration with other values for some keys.
    func configuration(with overrides: [String]) throws(Failure) -> ResolvedConfiguration {
        try Self.configuration(of: reader, tokenizer, overrides: overrides)
    }

    private static func configuration(
        of reader: CheckpointReader, _ tokenizer: any Tokenizer, overrides: [String]
    ) throws(Failure) -> ResolvedConfiguration {
        let document = try ConfigurationDocument(
            yaml: reader.record.configuration, file: "\(reader.directory) (stored configuration)",
            overrides: overrides, isStored: true)
        return try RunConfiguration(document).resolved(tokenizer: tokenizer.vocabularySize)
    }
}
