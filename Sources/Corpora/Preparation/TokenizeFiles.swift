package import Diagnostics

/// Tokenises the texts at `paths` into one file.
/// - Parameters:
///   - paths: files and directories, as in `data.train`
///   - output: the file to write; for Megatron the two files' common name
///   - tokenizerOutput: where to write the tokenizer by itself, if anywhere
///   - report: takes lines of progress
package func tokenizeFiles(
    _ paths: [String], tokenizer setting: TokenizerSetting, output: String, format: TokenFormat,
    tokenizerOutput: String? = nil, report: (String) -> Void
) throws(Failure) -> TokenizationSummary {
    if let file = paths.first(where: TokenFile.isTokenFile) {
        throw Failure(.data, "\(file) is a token file already", advice: "name the texts it was made from")
    }
    let resolved = try ResolvedTokenizer(setting)
    let files = try textFiles(at: paths)
    let tokenizer = try resolved.tokenizer(trainedOn: files, report: report)
    let sink = try format.makeSink(output, tokenizer: tokenizer)
    let summary = try tokenize(files, with: tokenizer, into: sink, report: report)
    try sink.finish(TokenFileMetadata(tokenizer: tokenizer, setting: resolved.record, sources: files))
    if let tokenizerOutput {
        let file = try AtomicFile(tokenizerOutput)
        try file.append(Array(tokenizer.serialized.utf8).span)
        try file.commit()
    }
    return summary
}
