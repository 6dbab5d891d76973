import ArgumentParser
import Checkpoints
import Configuration
import Conversion
import Data
import Diagnostics
import Platform
import Tokenizers

/// `switchyard convert from-huggingface`: a model of `transformers` as a checkpoint.
struct ConvertFromHuggingFace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "from-huggingface",
        abstract: "Makes a checkpoint of a model of transformers, to evaluate or to train on.",
        discussion: """
            Whatever the directory asks for that Switchyard's models do not do is refused by name: biases of the \
            feed-forward, sliding windows, and settings that are not known. \
            `train --from` begins a run with the checkpoint.
            """)

    @Argument(help: "The directory that save_pretrained wrote.", transform: path) var directory: String
    @Argument(help: "The checkpoint to write; must not exist.", transform: path) var output: String
    @Option(
        help: "`byte`, a file of merges or a token file, instead of the directory's tokenizer.json.", transform: path)
    var tokenizer: String?
    @Option(help: "Tokens of a sequence, if fewer than the model was made for.") var context: Int?
    @OptionGroup var checks: CheckOptions

    func validate() throws {
        if let context { try require(context, in: 1...1 << 24, "--context") }
    }

    func run() throws {
        try reportingFailures {
            let command = self
            try runOnRanks(virtual: 1) { world in
                let conversion = try FromHuggingFace(
                    command.directory, tokenizer: try command.givenTokenizer(), context: command.context)
                for note in conversion.notes { printError("note: \(note)") }
                let place = try StagedDirectory(command.output, beside: command.places)
                defer { place.discard() }
                let checkpoint = "\(place.staging)/checkpoint"
                let bytes = try conversion.write(to: checkpoint, run: place.name, versions: libraryVersions())
                let found =
                    command.checks.verify
                    ? try command.checks.report(
                        on: command.directory, of: try SourceCheckpoint(CheckpointReader(checkpoint)), on: world) : nil
                try place.publish("checkpoint")
                try StandardOutput.write("\(command.output): \(bytes) bytes, from \(command.directory)")
                if let found { try StandardOutput.write(found) }
            }
        }
    }

    private var places: InputsAndOutputs {
        var places = InputsAndOutputs(readingHuggingFace: directory)
        if let tokenizer, tokenizer != "byte" { places.reads(tokenizer, as: "--tokenizer") }
        return checks.adding(to: places)
    }

    private func givenTokenizer() throws(Failure) -> (any Tokenizer)? {
        guard let tokenizer else { return nil }
        return tokenizer == "byte" ? ByteTokenizer() : try readTokenizer(inFile: tokenizer)
    }
}
