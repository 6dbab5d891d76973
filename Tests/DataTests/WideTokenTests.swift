import Configuration
import Data
import Diagnostics
import Testing

/// Bare tokens that are wider than 16 bits, and other files that bare tokens are taken for.
@Suite struct WideTokenTests {
    private let folder: TemporaryFolder
    private let text = Array("wide tokens, and a few of them, so that it is seen".utf8)

    init() throws { folder = try TemporaryFolder() }

    private func write(_ tokens: [Int], bytes: Int, bigEndian: Bool = false, to name: String) throws {
        let stored = tokens.flatMap { token -> [UInt8] in
            let all = (0..<bytes).map { UInt8(truncatingIfNeeded: token >> (8 * $0)) }
            return bigEndian ? all.reversed() : all
        }
        try folder.write(stored, to: name)
    }

    private func tokens(of name: String, report: (String) -> Void = silent) throws -> [Int] {
        _ = try tokenizeFiles(
            [folder(name)], tokenizer: .bytes, output: folder("out.tokens"), format: .switchyard, report: report)
        return TokenDataset(try TokenFile(folder("out.tokens"))).array
    }

    private func refusal(_ name: String) -> String? { failure { _ = try tokens(of: name) }?.message }

    @Test("tokens of 32 and 64 bits are recognized, and it is said", arguments: [(4, 32), (8, 64)])
    func wideTokensAreRecognized(bytes: Int, bits: Int) throws {
        let numbers = text.map(Int.init)
        try write(numbers, bytes: bytes, to: "x.bin")
        var said: [String] = []
        #expect(try tokens(of: "x.bin") { said.append($0) } == numbers)
        #expect(said.contains { $0.contains("x.bin is read as \(bits)-bit tokens") })
        try write(Array(numbers[..<4]), bytes: bytes, to: "x.bin")
        #expect(try tokens(of: "x.bin") == Array(numbers[..<4]))
    }

    @Test("a wide token beyond the vocabulary is refused, not read as two") func largeTokensAreRefused() throws {
        try write(text.map(Int.init) + [70_000], bytes: 4, to: "x.bin")
        #expect(refusal("x.bin")?.contains("token \(text.count) is 70000, outside the vocabulary of 257") == true)
    }

    @Test(arguments: [(4, 2), (8, 2), (8, 4), (2, 1), (4, 1)])
    func aTruncatedWideFileIsRefused(bytes: Int, missing: Int) throws {
        try write(text.map(Int.init), bytes: bytes, to: "x.bin")
        try folder.write(Array(try folder.read("x.bin").dropLast(missing)), to: "x.bin")
        #expect(refusal("x.bin")?.contains("no whole number of \(8 * bytes)-bit tokens") == true)
    }

    @Test(
        "16-bit tokens stay 16-bit tokens",
        arguments: [
            [97, 0, 98, 0], [0, 0, 0, 0], [1, 2, 1, 2, 1, 2, 1, 2, 1, 2],
            [97, 1, 2, 98, 3, 4, 99, 5, 6, 97],
            [97, 0, 98, 0, 99, 0, 97, 0, 98, 16], [97, 98, 99, 97, 98, 99, 97, 98, 99],
        ])
    func narrowTokensAreNotTakenForWide(_ numbers: [Int]) throws {
        try write(numbers, bytes: 2, to: "x.bin")
        #expect(try tokens(of: "x.bin") == numbers)
    }

    @Test("the name decides if it gives the width") func namesDecide() throws {
        let numbers = [97, 0, 98, 0, 99, 0, 97, 0, 98, 0]
        try write(numbers, bytes: 2, to: "x.u16.bin")
        #expect(try tokens(of: "x.u16.bin") == numbers)
        try write([97, 98], bytes: 4, to: "x.u32.bin")
        try write([97, 98], bytes: 8, to: "x.I64.bin")
        #expect(try tokens(of: "x.u32.bin") == [97, 98] && tokens(of: "x.I64.bin") == [97, 98])
    }

    @Test(arguments: [4, 8]) func wideNumbersOfTheOtherByteOrderAreRefused(bytes: Int) throws {
        try write(text.map(Int.init), bytes: bytes, bigEndian: true, to: "x.bin")
        #expect(refusal("x.bin")?.contains("most significant byte first, \(8 * bytes)-bit ones") == true)
    }

    @Test(
        "a header does not hide the width of what follows",
        arguments: [[7], [0], [20_000], [1, 2, 3], [9, 9, 9, 9, 9], [300, 300], [0x27E0, 0x0134, 7, 0]], [4, 8])
    func headersDoNotHideTheWidth(header: [Int], bytes: Int) throws {
        try write(header, bytes: 2, to: "head")
        try write((0..<4).flatMap { _ in text.map(Int.init) }, bytes: bytes, to: "x.bin")
        try folder.write(folder.read("head") + folder.read("x.bin"), to: "x.bin")
        #expect(
            refusal("x.bin")?.contains("look like \(8 * bytes)-bit tokens but begins with something else") == true,
            "\(refusal("x.bin") ?? "read")")
    }

    @Test("zeros do not tell their width") func zerosAreRefused() throws {
        for size in [16, 18, 4096] {
            try folder.write([UInt8](repeating: 0, count: size), to: "x.bin")
            #expect(refusal("x.bin")?.contains("nothing but zeros (\(size) bytes)") == true)
        }
        try write([0, 0, 0, 0, 0, 0, 0, 0], bytes: 2, to: "x.u16.bin")
        #expect(try tokens(of: "x.u16.bin") == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("floating-point numbers are named as what they are") func floatsAreRefused() throws {
        let numbers = text.map { Float($0) } + [50_256, 0]
        try write(numbers.map { Int($0.bitPattern) }, bytes: 4, to: "x.bin")
        #expect(refusal("x.bin")?.contains("floating-point numbers of 32 bits") == true)
        try write(numbers.map { Int(bitPattern: UInt(Double($0).bitPattern)) }, bytes: 8, to: "x.bin")
        #expect(refusal("x.bin")?.contains("floating-point numbers of 64 bits") == true)
        // Powers of two below 256 have no low bits at all: once taken for numbers of the other byte order.
        try write([1, 2, 4, 8, 16, 32].map { Int(Float($0).bitPattern) }, bytes: 4, to: "x.bin")
        #expect(refusal("x.bin")?.contains("floating-point numbers of 32 bits") == true)
    }

    @Test func theOtherByteOrderIsGuessedWhereTokensAreOutside() throws {
        try write(text.map(Int.init), bytes: 2, bigEndian: true, to: "x.bin")
        let advice = failure { _ = try tokens(of: "x.bin") }?.advice
        #expect(advice?.contains("bytes of each number turned round") == true)
        try write(text.map { Int($0) + 300 }, bytes: 2, to: "x.bin")
        #expect(failure { _ = try tokens(of: "x.bin") }?.advice?.contains("another tokenizer") == true)
    }

    @Test func llmCsWideFilesAreRead() throws {
        let header = [20_240_801, 7, text.count] + [Int](repeating: 0, count: 253)
        try write(header + text.map(Int.init), bytes: 4, to: "x.bin")
        #expect(try tokens(of: "x.bin") == text.map(Int.init))
    }

    @Test(arguments: [
        ([UInt8](arrayLiteral: 0x93) + Array("NUMPY1".utf8), "a NumPy array"),
        (Array("PK\u{3}\u{4}".utf8), "a zip archive"),
        ([0x1F, 0x8B, 0x08, 0], "compressed by gzip"),
    ])
    func otherFilesAreNoTokens(_ bytes: [UInt8], _ kind: String) throws {
        try folder.write(bytes + [UInt8](repeating: 0, count: 64), to: "x.bin")
        #expect(refusal("x.bin")?.contains(kind) == true)
    }
}
