import Compression
import Foundation
import TestSupport
import Testing

@Suite struct PageDecompressorTests {
    private static let kinds: [PageCompression] = [.snappy, .gzip, .zstandard]
    private static let page = (0..<40_000).flatMap { Array("row \($0 * 7919 % 10_007)\n".utf8) }

    private func compress(_ bytes: [UInt8], _ kind: PageCompression) throws -> [UInt8] {
        switch kind {
        case .snappy: try Compressed.snappy(bytes)
        case .gzip: try Compressed.gzip(bytes)
        case .zstandard: try Compressed.zstandard(bytes)
        }
    }

    /// - Parameter page: a page as it was before, which the decompressor replaces
    private func decompress(
        _ block: [UInt8], to size: Int, by decompressor: PageDecompressor, replacing page: [UInt8] = [1, 2, 3]
    ) throws -> [UInt8] {
        var page = page
        try decompressor.decompress(block.span, to: size, into: &page)
        #expect(page.capacity < max(2 * size, 1 << 20), "a claim of \(size) bytes took memory")
        return page
    }

    @Test("pages of any size come back, one after the other from one decompressor", arguments: kinds)
    func roundTrip(_ kind: PageCompression) throws {
        let decompressor = try PageDecompressor(kind)
        for count in [0, 1, 100, Self.page.count, 7, 0] {
            let bytes = Array(Self.page[..<count])
            let isEqual = try decompress(compress(bytes, kind), to: count, by: decompressor) == bytes
            #expect(isEqual, "\(count) bytes")
        }
        // So well compressed that the room for it grows in steps.
        let zeros = [UInt8](repeating: 0, count: 1 << 23)
        let isEqual = try decompress(compress(zeros, kind), to: zeros.count, by: decompressor) == zeros
        #expect(isEqual)
    }

    @Test("a page of several members or frames is one page", arguments: [PageCompression.gzip, .zstandard])
    func severalMembers(_ kind: PageCompression) throws {
        let whole = try [[1, 2], [], [3], []].flatMap { try compress($0, kind) }
        #expect(try decompress(whole, to: 3, by: PageDecompressor(kind)) == [1, 2, 3])
    }

    @Test(
        "a page of another size than it claims is refused, and one that is cut, and one that goes on", arguments: kinds)
    func otherSizes(_ kind: PageCompression) throws {
        let decompressor = try PageDecompressor(kind), bytes = Array(Self.page[..<1000])
        let whole = try compress(bytes, kind)
        for size in [0, 1, 999, 1001, 100_000, Int(Int32.max)] {
            var page: [UInt8] = []
            let refusal = #expect(throws: DecompressionError.self, "\(size)") {
                try decompressor.decompress(whole.span, to: size, into: &page)
            }
            #expect(refusal?.complaint.contains("\(size) bytes that they claim") == true)
            #expect(page.capacity < 1 << 20, "a claim of \(size) bytes took memory")
        }
        for count in 0..<whole.count {
            #expect(throws: DecompressionError.self, "\(count)") {
                try decompress(Array(whole[..<count]), to: 1000, by: decompressor)
            }
        }
        #expect(throws: DecompressionError.self) { try decompress(whole + [1], to: 1000, by: decompressor) }
        #expect(try decompress(whole, to: 1000, by: decompressor) == bytes)
    }

    @Test("the cyclic redundancy check is that of the standard") func cyclicRedundancyCheck() {
        // The check value of CRC-32 in catalogs of such codes.
        #expect(Compression.cyclicRedundancyCheck(of: Array("123456789".utf8).span) == 0xCBF4_3926)
        #expect(Compression.cyclicRedundancyCheck(of: [UInt8]().span) == 0)
    }
}
