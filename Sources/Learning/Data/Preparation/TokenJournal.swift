import Diagnostics
import Platform

/// What a tokenization has done, beside the file that it writes, so that one that was killed goes on where it was.
///
/// The journal of `NAME` is `NAME.journal.partial`: frames of a length, contents and their digest. The first holds the identity of
/// the tokenization, each of the others what was added by one save. A frame that was not written whole is as if it were not there.
final class TokenJournal {
    /// What was saved last.
    struct State: Equatable {
        var place = TextPlace()
        var summary = TokenizationSummary()
        /// Of the tokens that were written.
        var digest: UInt64 = 0
        var documents: [TokenStream.DocumentEnd] = []
    }

    private let file: AtomicFile
    private let identity: [UInt8]
    /// Documents that the journal has.
    private var savedDocuments = 0
    private var lastSave = ContinuousClock.now
    private var lastCost = Duration.zero

    /// - Parameter identity: what the tokenization reads, and what it makes of it
    init(for output: String, identity: [UInt8]) throws(Failure) {
        file = try AtomicFile(Self.name(for: output), keepsContents: true)
        self.identity = identity
    }

    /// The output beside `output` whose temporary file is the journal.
    static func name(for output: String) -> String { output + ".journal" }

    /// What an earlier process left.
    enum Found {
        case nothing, otherIdentity, damaged
        /// What was saved last, or before what is damaged.
        case state(State, isWhole: Bool)
    }

    func find() throws(Failure) -> Found {
        let written = try file.written()
        guard written.count > 0 else { return .nothing }
        var frames = Frames(written), state = State()
        guard let first = frames.next() else { return .damaged }
        guard first == identity else { return .otherIdentity }
        var end = frames.end, isSaved = false
        while let frame = frames.next(), state.add(frame) { (end, isSaved) = (frames.end, true) }
        let isWhole = end == written.count
        guard isSaved else { return isWhole ? .nothing : .damaged }
        try file.truncate(to: end)
        savedDocuments = state.documents.count
        return .state(state, isWhole: isWhole)
    }

    /// Begins a journal without a state.
    func begin() throws(Failure) {
        try file.truncate(to: 0)
        savedDocuments = 0
        try append(identity)
    }

    /// Whether a save would take little of the time since the last one.
    var isDue: Bool { ContinuousClock.now - lastSave >= max(.milliseconds(500), lastCost * 50) }

    /// Saves how far `stream` is.
    func save(_ place: TextPlace, _ summary: TokenizationSummary, of stream: TokenStream) throws(Failure) {
        let started = ContinuousClock.now
        let documents = stream.documents[savedDocuments...]
        var frame: [UInt8] = []
        let numbers = [
            place.file, place.documents, place.bytes, summary.documents, summary.bytes, summary.tokens,
        ]
        for number in numbers.map(UInt64.init) + [try stream.save()] { Data.append(number, to: &frame) }
        for document in documents {
            Data.append(UInt64(document.end), to: &frame)
            Data.append(document.hash, to: &frame)
        }
        try append(frame)
        try file.sync()
        savedDocuments += documents.count
        lastSave = .now
        lastCost = lastSave - started
    }

    /// Leaves the journal for a later process.
    func leave() throws(Failure) { try file.leaveUncommitted() }

    private func append(_ contents: [UInt8]) throws(Failure) {
        var frame: [UInt8] = []
        Data.append(UInt64(contents.count), to: &frame)
        frame += contents
        Data.append(contents.span.digest, to: &frame)
        try file.append(frame.span)
    }
}

/// The frames of a journal, up to the first that is not whole.
private struct Frames {
    private let file: MappedFile
    private(set) var end = 0

    init(_ file: MappedFile) { self.file = file }

    mutating func next() -> [UInt8]? {
        let start = end + 8, file = file
        guard file.count - start >= 8, let count = Int(exactly: file.bytes.word(at: end)),
            count <= file.count - start - 8
        else { return nil }
        let contents = file.bytes.extracting(start..<start + count)
        guard contents.digest == file.bytes.word(at: start + count) else { return nil }
        end = start + count + 8
        return contents.array
    }
}

extension TokenJournal.State {
    private static let numbers = 7

    /// Takes what a save has added.
    /// - Returns: false if a frame cannot be one
    fileprivate mutating func add(_ frame: [UInt8]) -> Bool {
        guard frame.count >= 8 * Self.numbers, (frame.count - 8 * Self.numbers) % 16 == 0 else { return false }
        let bytes = frame.span
        let counts = (0..<Self.numbers - 1).compactMap { Int(exactly: bytes.word(at: 8 * $0)) }
        guard counts.count == Self.numbers - 1 else { return false }
        place = TextPlace(file: counts[0], documents: counts[1], bytes: counts[2])
        (summary.documents, summary.bytes, summary.tokens) = (counts[3], counts[4], counts[5])
        digest = bytes.word(at: 8 * (Self.numbers - 1))
        for start in stride(from: 8 * Self.numbers, to: frame.count, by: 16) {
            documents.append(.init(end: Int(bytes.word(at: start)), hash: bytes.word(at: start + 8)))
        }
        return true
    }
}
