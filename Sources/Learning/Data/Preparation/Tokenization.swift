import Diagnostics
import Platform
import Tokenizers

/// How much a tokenization read and wrote.
package struct TokenizationSummary: Sendable, Equatable {
    package var documents = 0
    /// Of text.
    package var bytes = 0
    /// End-of-text tokens included.
    package var tokens = 0
    package var vocabularySize = 0
    /// What of the directories that were named was not read.
    package var skipped = SkippedFiles()
}

/// What a tokenization reads, and what it makes of it.
struct Tokenization {
    let files: [TextFile]
    let tokenizer: any Tokenizer
    /// How the tokenizer was asked for.
    let setting: String
    var format = TokenFormat.switchyard
    /// Of a token in another trainer's format; nil: as the vocabulary needs.
    var tokenBits: Int?
    let threads: Int

    /// Writes the tokens of all documents to the file `output`, each document closed by the end-of-text token. One that was killed
    /// is continued, if texts and settings are the same.
    /// - Returns: how much it was
    /// - Throws: `data` if there is no text at all, `temporaryFailure` if a stop was requested, and what reading and writing throw
    func write(to output: String, report: (String) -> Void) throws(Failure) -> TokenizationSummary {
        try requireReaders(for: files, report: report)
        let metadata = TokenFileMetadata(tokenizer: tokenizer, setting: setting, sources: files)
        let stream = try format.makeStream(output, tokenizer: tokenizer, bits: tokenBits)
        let journal = try TokenJournal(
            for: output, identity: Array("\(format.rawValue) \(stream.width.rawValue)\n".utf8) + metadata.encoded)
        let start = try begin(output, stream, journal, report)
        var writer = TokenizationWriter(
            stream, journal, from: start, Progress("tokenizing", files, from: start.place.file))
        writer.summary.vocabularySize = tokenizer.vocabularySize
        var next = start.place
        while next.file < files.count {
            if files[next.file].holdsTokens {
                try copyTokens(
                    of: files[next.file], meaning: tokenizer, into: stream, counting: &writer.summary, report: report)
                next = TextPlace(file: next.file + 1)
                try writer.finishedFile(next, report)
            } else {
                let end = files[next.file...].firstIndex(where: \.holdsTokens) ?? files.count
                var blocks = TextBlocks(
                    files, next.file..<end, cuttingAt: tokenizer.lastCut, encoder: tokenizer.makeEncoder())
                guard try blocks.skip(to: next) else { throw changed(files[next.file]) }
                writer = try encode(blocks, writer, report)
                next = TextPlace(file: end)
            }
        }
        try requireText(writer.summary.bytes, in: files)
        try stream.finish(metadata)
        return writer.summary
    }

    private func changed(_ file: TextFile) -> Failure {
        Failure(
            .data, "\(file.path) has fewer texts than when its tokenization was interrupted",
            advice: "start the same command again: it begins anew")
    }

    /// Takes up what an earlier process left, or begins.
    private func begin(
        _ output: String, _ stream: TokenStream, _ journal: TokenJournal, _ report: (String) -> Void
    ) throws(Failure) -> TokenJournal.State {
        switch try journal.find() {
        case .nothing: break
        case .otherIdentity:
            report("\(output) was begun with other texts or settings: beginning anew")
        case .damaged: report("the journal of \(output) is damaged: beginning anew")
        case .state(let state, let isWhole):
            if !isWhole { report("the journal of \(output) is damaged: what it has of the last saves does not count") }
            let summary = state.summary
            if try stream.restore(tokens: summary.tokens, digest: state.digest, documents: state.documents) {
                report(
                    "going on with \(output) behind \(summary.documents) documents, "
                        + "\(decimals(Double(summary.bytes) / 1e6, 1)) MB of text")
                return state
            }
            report("what was written of \(output) is damaged: beginning anew")
        }
        try stream.begin()
        try journal.begin()
        return TokenJournal.State()
    }
}

func requireText(_ bytes: Int, in files: [TextFile]) throws(Failure) {
    guard bytes == 0 else { return }
    let names = files.prefix(3).map(\.path).joined(separator: ", ") + (files.count > 3 ? ", …" : "")
    throw Failure(
        .data, "the corpus is empty: there is no text in \(names)", advice: "name files with text")
}
