package import Configuration
package import Diagnostics
import Platform
import Tokenizers

/// Tokenizes the texts at `paths` into one file.
/// - Parameters:
///   - paths: files and directories, as in `data.train`
///   - textField: the field that holds the texts; nil: as `data.text_field: auto`
///   - output: the file to write; for Megatron the two files' common name
///   - tokenBits: of a token in another trainer's format, 16 or 32; nil: as the vocabulary needs
///   - tokenizerOutput: where to write the tokenizer by itself, if anywhere
///   - threads: that encode; the file does not depend on them
///   - report: takes lines of progress
/// - Throws: `usage` if an output is an input or the format has no such tokens, before anything is written
package func tokenizeFiles(
    _ paths: [String], textField: String? = nil, tokenizer setting: TokenizerChoice, output: String,
    format: TokenFormat, tokenBits: Int? = nil, tokenizerOutput: String? = nil,
    threads: Int = Processors.count, report: (String) -> Void
) throws(Failure) -> TokenizationSummary {
    if let file = paths.first(where: TokenFile.isTokenFile) {
        throw Failure(.data, "\(file) is a token file already", advice: "name the texts it was made from")
    }
    let listing = try listTexts(at: paths, textField: textField), files = listing.files
    try requireSafeOutputs(paths, textField, setting, output: output, format, tokenizerOutput: tokenizerOutput)
    let resolved = try ResolvedTokenizer(setting)
    try format.requireBits(tokenBits, vocabularySize: resolved.vocabularySize)
    listing.reportSkipped(report)
    let tokenizer = try resolved.tokenizer(trainedOn: files, threads: threads, report: report)
    let tokenization = Tokenization(
        files: files, tokenizer: tokenizer, setting: resolved.record, format: format, tokenBits: tokenBits,
        threads: threads)
    var summary = try tokenization.write(to: output, report: report)
    summary.skipped = listing.skipped
    if let tokenizerOutput {
        let file = try AtomicFile(tokenizerOutput)
        try file.append(Array(tokenizer.serialized.utf8).span)
        try file.commit()
    }
    return summary
}

private func requireSafeOutputs(
    _ paths: [String], _ textField: String?, _ setting: TokenizerChoice, output: String, _ format: TokenFormat,
    tokenizerOutput: String?
) throws(Failure) {
    var places = InputsAndOutputs()
    places.reads(try filesRead(at: paths, textField: textField), as: "the texts")
    if case .file(let path, _) = setting { places.reads(path, as: "--tokenizer") }
    for file in format.files(of: output) + [TokenJournal.name(for: output)] {
        places.writesWhole(file, as: "--output")
    }
    if let tokenizerOutput { places.writesWhole(tokenizerOutput, as: "--tokenizer-output") }
    try places.check()
}
