import Diagnostics

/// A file of tokens that another trainer uses, seen through memory: llm.c's, nanoGPT's or Megatron's. It does not say
/// which tokenizer made it.
struct ForeignTokenFile {
    /// How a token is stored.
    enum Width: Int {
        case one = 1
        case two = 2
        case four = 4
    }

    let file: MappedFile
    /// Where the tokens begin, in bytes.
    let start: Int
    let count: Int
    let width: Width
    /// Where documents end, in tokens; nil if the end-of-text token says so.
    let ends: [Int]?

    init(file: MappedFile, start: Int, count: Int, width: Width, ends: [Int]?) {
        self.file = file
        self.start = start
        self.count = count
        self.width = width
        self.ends = ends
    }

    /// `NAME.bin` and `NAME.idx` are Megatron's if both are there; a `.bin` that begins with llm.c's number is llm.c's;
    /// any other is nanoGPT's, bare tokens.
    init(_ path: String) throws(Failure) {
        let name = String(path.dropLast(4))
        if path.hasSuffix(".idx") || fileExists(name + ".idx") {
            self = try Self.megatron(index: MappedFile(name + ".idx"), tokens: MappedFile(name + ".bin"))
            return
        }
        let file = try MappedFile(path)
        let first = file.count >= 4 ? Int(file.view(of: UInt32.self, at: 0, count: 1)[0]) : 0
        switch first {
        case Self.llmC: self = try Self.llmC(file)
        case Self.llmCWide:
            throw Failure(
                .data, "\(path) is one of llm.c's files of 32-bit tokens; Switchyard's have 16",
                advice: "tokenise the texts with a vocabulary of at most 65536")
        default:
            guard file.count % 2 == 0 else {
                throw Failure(
                    .data, "\(path) has \(file.count) bytes, which is no whole number of 16-bit tokens",
                    advice: "it is truncated, or no file of tokens")
            }
            self.init(file: file, start: 0, count: file.count / 2, width: .two, ends: nil)
        }
    }

    private static let llmC = 20_240_520
    private static let llmCWide = 20_240_801

    private static func llmC(_ file: MappedFile) throws(Failure) -> ForeignTokenFile {
        guard file.count >= 1024 else { throw truncated(file, "a header of 1024 bytes") }
        let header = file.view(of: Int32.self, at: 0, count: 3)
        guard header[1] == 1 else {
            throw Failure(
                .data, "\(file.path) is llm.c's version \(header[1]); version 1 is read",
                advice: "tokenise the texts again")
        }
        let count = Int(header[2])
        guard count >= 0, file.count == 1024 + 2 * count else { throw truncated(file, "\(count) tokens") }
        return ForeignTokenFile(file: file, start: 1024, count: count, width: .two, ends: nil)
    }

    static func truncated(_ file: MappedFile, _ promised: String) -> Failure {
        Failure(
            .data, "\(file.path) has \(file.count) bytes, but its header promises \(promised)",
            advice: "copy it again, or tokenise the texts again")
    }

    /// Token `index` as it is stored.
    func token(_ index: Int) -> Int {
        switch width {
        case .one: Int(file.bytes[start + index])
        case .two: Int(file.view(of: UInt16.self, at: start + 2 * index, count: 1)[0])
        case .four: Int(file.view(of: Int32.self, at: start + 4 * index, count: 1)[0])
        }
    }
}

extension TextFile {
    /// Whether this is another trainer's file of tokens, by its name.
    var holdsTokens: Bool { path.hasSuffix(".bin") || path.hasSuffix(".idx") }
}
