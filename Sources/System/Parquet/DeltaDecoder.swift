/// Integers as packed differences (Encodings.md, DELTA_BINARY_PACKED = 5), in which the lengths of texts stand.
///
///     block size · miniblocks in a block · count · first value · blocks
///     a block: least difference · bits of each miniblock's numbers · the miniblocks, differences less the least one
struct DeltaDecoder {
    /// Numbers in a block, far more than writers put there.
    private static let largestBlock = 1 << 20

    private let miniblocks: Int
    private let perMiniblock: Int
    private var place: Int
    /// Where these integers end and what follows begins.
    let end: Int
    /// Integers that have not been taken.
    private var left: Int
    private var value: Int
    private var isFirst = true

    private var leastDifference = 0
    /// Where the current block says the bits of its miniblocks, and which of these is next.
    private var widths = 0
    private var miniblock: Int
    private var leftInMiniblock = 0
    private var width = 0
    private var bit = 0

    /// - Parameters:
    ///   - bytes: a page; `next` must be given the same
    ///   - range: of the page, where the integers begin, and where they must have ended
    init(_ bytes: [UInt8], _ range: Range<Int>) throws(ParquetError) {
        place = range.lowerBound
        let block = try bytes.variableLengthNumber(at: &place, before: range.upperBound)
        let parts = try bytes.variableLengthNumber(at: &place, before: range.upperBound)
        let count = try bytes.variableLengthNumber(at: &place, before: range.upperBound)
        value = try bytes.signedNumber(at: &place, before: range.upperBound)
        guard (1...UInt64(Self.largestBlock)).contains(block), parts > 0, block % parts == 0,
            block / parts % 8 == 0, count <= UInt64(Int32.max)
        else { throw .damaged("a page has \(count) lengths in blocks of \(block), \(parts) parts each") }
        miniblocks = Int(parts)
        perMiniblock = Int(block / parts)
        left = Int(count)
        miniblock = miniblocks
        end = try Self.end(
            bytes, place..<range.upperBound, differences: left - 1, miniblocks: miniblocks, perMiniblock: perMiniblock)
    }

    /// Where the blocks end; that they do so inside of `range` is checked.
    private static func end(
        _ bytes: [UInt8], _ range: Range<Int>, differences: Int, miniblocks: Int, perMiniblock: Int
    ) throws(ParquetError) -> Int {
        var place = range.lowerBound, left = differences
        while left > 0 {
            _ = try bytes.variableLengthNumber(at: &place, before: range.upperBound)
            guard miniblocks <= range.upperBound - place else { throw .damaged("a page ends within its lengths") }
            let widths = place
            place += miniblocks
            // Behind the last number there are no miniblocks, though there are bits for them.
            for index in 0..<miniblocks where left > 0 {
                let width = Int(bytes[widths + index])
                guard width <= 64, perMiniblock / 8 * width <= range.upperBound - place else {
                    throw .damaged("a page ends within its lengths")
                }
                place += perMiniblock / 8 * width
                left -= perMiniblock
            }
        }
        return place
    }

    mutating func next(in bytes: [UInt8]) throws(ParquetError) -> Int {
        guard left > 0 else { throw .damaged("a page has more texts than lengths") }
        left -= 1
        if isFirst {
            isFirst = false
            return value
        }
        if leftInMiniblock == 0 { try beginMiniblock(bytes) }
        leftInMiniblock -= 1
        value &+= leastDifference &+ Int(truncatingIfNeeded: bytes.bits(at: bit, width))
        bit += width
        return value
    }

    private mutating func beginMiniblock(_ bytes: [UInt8]) throws(ParquetError) {
        if miniblock == miniblocks {
            leastDifference = try bytes.signedNumber(at: &place, before: end)
            widths = place
            place += miniblocks
            miniblock = 0
        }
        width = Int(bytes[widths + miniblock])
        bit = 8 * place
        place += perMiniblock / 8 * width
        leftInMiniblock = perMiniblock
        miniblock += 1
    }
}
