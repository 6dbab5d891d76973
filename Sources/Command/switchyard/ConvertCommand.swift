import ArgumentParser

/// `switchyard convert`: checkpoints into other forms.
struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turns checkpoints into other forms.",
        subcommands: [
            ConvertReshard.self, ConvertToHuggingFace.self, ConvertFromHuggingFace.self, ConvertUpcycle.self,
            ConvertPrune.self, ConvertAverage.self,
        ])
}
