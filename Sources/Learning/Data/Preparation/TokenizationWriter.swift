import Diagnostics
import Platform

/// Writes encoded blocks in order, and keeps the journal.
struct TokenizationWriter {
    private let stream: TokenStream
    private let journal: TokenJournal
    private var progress: Progress
    var summary: TokenizationSummary
    private var end: BlockEnd

    init(_ stream: TokenStream, _ journal: TokenJournal, from state: TokenJournal.State, _ progress: Progress) {
        (self.stream, self.journal, self.progress) = (stream, journal, progress)
        (summary, end) = (state.summary, BlockEnd(place: state.place))
    }

    mutating func write(_ block: EncodedBlock) throws(Failure) {
        let start = stream.tokenCount
        try stream.append(block.tokens.span)
        for document in block.documents {
            try stream.endDocument(at: start + document.end, hash: document.hash)
        }
        summary.documents += block.documents.count
        summary.bytes += block.bytes
        summary.tokens += block.tokens.count
        end = block.blockEnd
    }

    /// A file whose tokens were copied is complete.
    mutating func finishedFile(_ next: TextPlace, _ report: (String) -> Void) throws(Failure) {
        end = BlockEnd(place: next)
        try look(report)
    }

    /// Saves when it is time, and shows how far the work is.
    /// - Throws: `temporaryFailure` if a stop was requested; what was done is then left for a later process
    mutating func look(_ report: (String) -> Void) throws(Failure) {
        progress.show(end.position, documents: summary.documents, report)
        let isAsked = SignalRequests.pending.contains(.stop)
        if end.isResumable, isAsked || journal.isDue { try journal.save(end.place, summary, of: stream) }
        guard isAsked else { return }
        try stream.file.leaveUncommitted()
        try journal.leave()
        throw Failure(
            .temporaryFailure,
            "asked to leave while tokenizing, behind \(summary.documents) documents",
            advice: "start the same command again")
    }
}
