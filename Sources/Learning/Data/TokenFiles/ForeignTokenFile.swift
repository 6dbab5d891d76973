import Diagnostics
import Platform

/// A file of tokens that another trainer uses, seen through memory: llm.c's, nanoGPT's or Megatron's. It does not say
/// which tokenizer made it.
struct ForeignTokenFile {
    let file: MappedFile
    /// Where the tokens begin, in bytes.
    let start: Int
    let count: Int
    let width: TokenWidth
    /// Where documents end, in tokens; nil if the end-of-text token says so.
    let ends: [Int]?
    /// How the file was understood, where it does not say so itself.
    let note: String?

    init(file: MappedFile, start: Int, count: Int, width: TokenWidth, ends: [Int]?, note: String? = nil) {
        self.file = file
        self.start = start
        self.count = count
        self.width = width
        self.ends = ends
        self.note = note
    }

    /// Both of Megatron's files of the name `path`, which may be given with the suffix of one: tokens, index.
    static func parts(of path: String) -> [String] {
        let isSuffixed = path.hasSuffix(".bin") || path.hasSuffix(".idx")
        let name = isSuffixed ? String(path.dropLast(4)) : path
        return [name + ".bin", name + ".idx"]
    }

    /// `NAME.bin` and `NAME.idx` are Megatron's if both are there; a `.bin` that begins with one of llm.c's numbers is
    /// llm.c's; any other is nanoGPT's, bare tokens.
    /// - Parameter vocabularySize: that of the tokenizer which made the file
    init(_ path: String, vocabularySize: Int) throws(Failure) {
        let parts = Self.parts(of: path)
        if path.hasSuffix(".idx") || fileExists(parts[1]) {
            self = try Self.megatron(index: MappedFile(parts[1]), tokens: MappedFile(parts[0]))
            return
        }
        let file = try MappedFile(path)
        let first = file.count >= 4 ? Int(file.view(of: UInt32.self, at: 0, count: 1)[0]) : 0
        switch first {
        case 20_240_520: self = try Self.llmC(file, version: 1, .two)
        case 20_240_801: self = try Self.llmC(file, version: 7, .four)
        default: self = try Self.bare(file, vocabularySize: vocabularySize)
        }
    }

    private static func llmC(_ file: MappedFile, version: Int32, _ width: TokenWidth) throws(Failure)
        -> ForeignTokenFile
    {
        guard file.count >= 1024 else { throw truncated(file, "a header of 1024 bytes") }
        let header = file.view(of: Int32.self, at: 0, count: 3)
        guard header[1] == version else {
            throw Failure(
                .data,
                "\(file.path) is llm.c's version \(header[1]) of \(8 * width.rawValue)-bit tokens; version \(version) is read",
                advice: "tokenize the texts again")
        }
        let count = Int(header[2])
        guard count >= 0, file.count == 1024 + width.rawValue * count else { throw truncated(file, "\(count) tokens") }
        return ForeignTokenFile(file: file, start: 1024, count: count, width: width, ends: nil)
    }

    static func truncated(_ file: MappedFile, _ promised: String) -> Failure {
        Failure(
            .data, "\(file.path) has \(file.count) bytes, but its header promises \(promised)",
            advice: "copy it again, or tokenize the texts again")
    }

    /// Token `index` as it is stored.
    func token(_ index: Int) -> Int {
        switch width {
        case .one: Int(file.bytes[start + index])
        case .two: Int(file.view(of: UInt16.self, at: start + 2 * index, count: 1)[0])
        case .four: Int(file.view(of: Int32.self, at: start + 4 * index, count: 1)[0])
        case .eight: Int(file.view(of: Int64.self, at: start + 8 * index, count: 1)[0])
        }
    }

    /// What is wrong with a token that the tokenizer does not have.
    func outsideVocabulary(_ token: Int, at position: Int, size: Int) -> Failure {
        let isTurned =
            width != .one && (0..<min(count, 1000)).allSatisfy { (0..<size).contains(turned(self.token($0))) }
        return Failure(
            .data, "\(file.path): token \(position) is \(token), outside the vocabulary of \(size)",
            advice: isTurned
                ? "with the bytes of each number turned round its tokens are inside: write it little-endian, "
                    + "array.astype('<u2').tofile(FILE)"
                : "it was made with another tokenizer than the one that was named")
    }

    /// With its bytes in the opposite order.
    private func turned(_ token: Int) -> Int {
        switch width {
        case .one: token
        case .two: Int(UInt16(truncatingIfNeeded: token).byteSwapped)
        case .four: Int(Int32(truncatingIfNeeded: token).byteSwapped)
        case .eight: token.byteSwapped
        }
    }
}

extension TextFile {
    /// Whether this is another trainer's file of tokens, by its name.
    var holdsTokens: Bool { path.hasSuffix(".bin") || path.hasSuffix(".idx") }
}
