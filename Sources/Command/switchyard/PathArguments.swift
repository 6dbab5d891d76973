import Checkpoints
import Conversion
import Platform

/// The `transform` of every argument and option that is a path: `~` and variables of the environment mean the same as in a
/// configuration, also where no shell has expanded them.
@Sendable func path(_ text: String) throws -> String { try expandedPath(text) }

extension InputsAndOutputs {
    /// A checkpoint that a conversion reads.
    init(reading source: SourceCheckpoint) {
        self.init()
        reads(source.reader.directory, as: "the checkpoint", isWhole: true)
    }

    /// A Hugging Face directory that a conversion reads.
    init(readingHuggingFace directory: String) {
        self.init()
        reads(directory, as: "the directory")
        let names = (try? directoryEntries(directory)) ?? []
        reads(names.map { "\(directory)/\(String(decoding: $0, as: UTF8.self))" }, as: "the directory")
    }
}
