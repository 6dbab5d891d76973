import Compression
import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct CompressedFileTests {
    private static let formats: [FileCompression] = [.gzip, .zstandard]

    /// Some two MiB that compress, but not to next to nothing: many buffers of either side.
    private static let text: [UInt8] = {
        var state: UInt32 = 1
        return (0..<300_000).flatMap { _ -> [UInt8] in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Array("\(state % 100_003) ".utf8)
        }
    }()

    private func compress(_ bytes: [UInt8], _ format: FileCompression) throws -> [UInt8] {
        try format == .gzip ? Compressed.gzip(bytes) : Compressed.zstandard(bytes, isChecked: true)
    }

    private func contents(_ bytes: [UInt8], _ format: FileCompression, piece: Int = 1 << 20) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appending(path: "compressed-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let file = try CompressedFile(path, format)
        var found: [UInt8] = [], position = 0
        while case let count = try file.read(upTo: piece, into: &found), count > 0 {
            #expect(count <= piece && file.position >= position && file.position <= bytes.count)
            position = file.position
        }
        #expect(file.position == bytes.count)
        return found
    }

    private func refusal(of bytes: [UInt8], _ format: FileCompression) -> Failure? {
        do {
            _ = try contents(bytes, format)
            return nil
        } catch {
            return error as? Failure
        }
    }

    @Test("a compressed file reads as what was compressed, in pieces of any size", arguments: formats)
    func wholeContents(_ format: FileCompression) throws {
        let whole = try compress(Self.text, format)
        #expect(whole.count > 1 << 19 && whole.count < Self.text.count)
        for piece in [1 << 20, 100_003] {
            let isEqual = try contents(whole, format, piece: piece) == Self.text
            #expect(isEqual)
        }
        #expect(try contents(compress(Array("ab".utf8), format), format, piece: 1) == Array("ab".utf8))
        #expect(try contents(compress([], format), format) == [])
        #expect(try contents([], format) == [])
    }

    @Test("members and frames behind each other are one text, empty ones too", arguments: formats)
    func severalMembers(_ format: FileCompression) throws {
        let parts = [Array("first ".utf8), [], Self.text, Array(" last".utf8), []]
        let isEqual = try contents(parts.flatMap { try compress($0, format) }, format) == Array(parts.joined())
        #expect(isEqual)
    }

    @Test func zerosBehindGzipArePaddingAndAnythingElseIsNot() throws {
        let whole = try compress(Array("text".utf8), .gzip)
        #expect(try contents(whole + [UInt8](repeating: 0, count: 600_000), .gzip) == Array("text".utf8))
        for tail in [[UInt8](repeating: 0, count: 600_000) + [1], Array("more".utf8), [0, 0x1F]] {
            #expect(refusal(of: whole + tail, .gzip)?.message.contains("follows the compressed data") == true)
        }
        #expect(refusal(of: whole + [0x1F, 0x20, 0x30], .gzip)?.status == .data)
    }

    @Test func skippableFramesOfZstandardAreSkipped() throws {
        let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 7, 7, 7]
        let frame = try compress(Array("text".utf8), .zstandard)
        #expect(try contents(skippable + frame + skippable, .zstandard) == Array("text".utf8))
    }

    @Test("a file that ends anywhere before its end is called truncated", arguments: formats)
    func truncation(_ format: FileCompression) throws {
        let whole = try compress(Array(Self.text[..<1000]), format)
        for count in 1..<whole.count {
            let refused = refusal(of: Array(whole[..<count]), format)
            #expect(refused?.status == .data && refused?.message.contains("is truncated") == true, "\(count) bytes")
        }
    }

    @Test("a changed bit is found by the checksum, or damages nothing", arguments: formats)
    func damage(_ format: FileCompression) throws {
        let text = Array(Self.text[..<1000]), whole = try compress(text, format)
        var refused = 0
        for bit in 0..<8 * whole.count {
            var damaged = whole
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(Failure) {
                let found = try readWhole(damaged, format)
                #expect(found == text, "bit \(bit)")
            } catch {
                #expect(error.status == .data)
                refused += 1
            }
        }
        #expect(refused > 7 * whole.count)
    }

    private func readWhole(_ bytes: [UInt8], _ format: FileCompression) throws(Failure) -> [UInt8] {
        do {
            return try contents(bytes, format)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(.software, "\(error)")
        }
    }

    @Test func aWindowThatTakesTooMuchMemoryIsRefused() throws {
        // Larger than what is compressed, so that it is the window that the frame states.
        let text = Array("text text".utf8)
        #expect(try contents(Compressed.zstandard(text, window: 27), .zstandard) == text)
        let refused = try refusal(of: Compressed.zstandard(text, window: 28), .zstandard)
        #expect(refused?.status == .data && refused?.message.contains("a window of more than 128 MiB") == true)
        #expect(refused?.advice?.contains("--long=31") == true)
    }

    @Test("what becomes far more than text does is refused, a large text is not")
    func expansion() throws {
        let block = try compress([UInt8](repeating: 0x61, count: 1 << 24), .zstandard)
        let refused = refusal(of: Array(repeatElement(block, count: 70).joined()), .zstandard)
        #expect(refused?.status == .data && refused?.message.contains("over 500 times its size") == true)
        var limit = ExpansionLimit(of: "a", stored: 1 << 30)
        for _ in 0..<499 { try limit.add(1 << 30) }
        #expect(throws: Failure.self) { try limit.add((1 << 30) + 1) }
        limit = ExpansionLimit(of: "a", stored: Int.max / 2)
        try limit.add(Int.max)
    }

    @Test func whatIsNoFileIsRefused() {
        #expect(throws: Failure.self) { try CompressedFile("/nowhere/a.gz", .gzip) }
        #expect(throws: Failure.self) { try CompressedFile("/dev/zero", .gzip) }
    }
}
