import ArgumentParser
import Configuration
import Data
import Diagnostics
import HDF5

/// `switchyard tokenize`: texts into a token file.
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turns texts into a file of tokens, once, for many runs.",
        discussion: """
            FILE is a text (one document), JSON lines with a `text` field (.jsonl, .ndjson or .json, a document each), both also \
            compressed (.gz, .zst), a Parquet file with a `text` column (a document each row), or a directory of these; what of a \
            directory is not read is said. Every document ends with the end-of-text token. `data.train` of a configuration takes the file in the format `switchyard`; the other formats are for other trainers (docs/token-files.md).
            """)

    @Argument(help: "Texts, JSON lines, Parquet files or directories of them.", transform: path)
    var files: [String]

    @Option(
        help:
            "`byte` (the default), `bpe 4096` (learned from the texts), a tokenizer.json, a file of merges, or a token file for its tokenizer.",
        transform: path)
    var tokenizer: String?

    @Option(
        help:
            "The token of a tokenizer.json that ends documents, where neither its name nor tokenizer_config.json says it."
    )
    var documentToken = "auto"

    @OptionGroup var field: TextFieldOption

    @Option(help: "The file to write; none that is read.", transform: outputFile)
    var output: String?

    @Option(help: "One of \(TokenFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = TokenFormat.switchyard

    @Option(
        help:
            "Bits of a token in another trainer's format, 16 or 32; by default 16 for up to 65536 entries, otherwise 32."
    )
    var tokenBits: Int?

    @Option(help: "Write the tokenizer to this file as well.", transform: outputFile)
    var tokenizerOutput: String?

    @Flag(
        help:
            "Write nothing; show what FILE, a file of tokens, holds: documents, their lengths, the vocabulary, first texts."
    )
    var inspect = false

    @Flag(help: "Print the figures as one JSON object on the last line.")
    var json = false

    func validate() throws {
        if inspect {
            guard files.count == 1, output == nil, tokenizerOutput == nil, tokenBits == nil else {
                throw ValidationError("--inspect takes one file of tokens and, for another trainer's, --tokenizer")
            }
        } else if output == nil {
            throw ValidationError("Missing expected argument '--output <output>'")
        }
    }

    func run() throws {
        try reportingFailures {
            let setting = try choice()
            guard !inspect, let output else {
                let inspection = try TokenInspection(files[0], tokenizer: setting, samples: 3)
                return try json ? printJSON(inspection, snakeCase: true) : StandardOutput.write(inspection.text)
            }
            let summary = try tokenizeFiles(
                files, textField: field.named, tokenizer: setting ?? .bytes, output: output, format: format,
                tokenBits: tokenBits, tokenizerOutput: tokenizerOutput,
                report: { printError($0) })
            try StandardOutput.write(json ? summary.json : summary.line(output))
        }
    }

    /// Nil if none was named.
    private func choice() throws(Failure) -> TokenizerChoice? {
        guard tokenizer != nil || documentToken != "auto" else { return nil }
        do throws(Failure) {
            return try TokenizerChoice(tokenizer ?? "byte", documentToken: documentToken)
        } catch {
            throw Failure(.usage, "--tokenizer \(error.message)", advice: error.advice)
        }
    }
}

extension TokenFormat: ExpressibleByArgument {}

extension TokenizationSummary {
    fileprivate var json: String {
        #"{"documents": \#(documents), "bytes": \#(bytes), "tokens": \#(tokens), "vocabulary_size": \#(vocabularySize), "#
            + #""skipped_files": \#(skipped.count), "skipped_bytes": \#(skipped.bytes)}"#
    }

    fileprivate func line(_ output: String) -> String {
        "\(output): \(tokens) tokens of a vocabulary of \(vocabularySize), from \(bytes) bytes in \(documents) documents"
    }
}
