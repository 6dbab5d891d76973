import Diagnostics
import Foundation
import Randomness
import Testing

/// Damaged files: read or refused in words, always in time, and never with a crash, which would end these tests.
@Suite struct MutationTests {
    /// SplitMix64: the same changes every time.
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            return Int(mix(state) % UInt64(max(1, sides)))
        }
    }

    private static let numbers: [UInt64] = [
        0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40, .max >> 1, .max,
    ]

    /// One to four changes; half of them are in the metadata at the end.
    private func mutated(_ whole: [UInt8], _ seed: UInt64) -> [UInt8] {
        var bytes = whole, dice = Dice(state: seed)
        for _ in 0...dice.roll(4) {
            let from = dice.roll(2) == 0 ? max(0, bytes.count - 600) : 0
            let place = from + dice.roll(bytes.count - from), length = min(1 + dice.roll(16), bytes.count - place)
            switch dice.roll(7) {
            case 0, 1: if !bytes.isEmpty { bytes[place] ^= 1 << UInt8(dice.roll(8)) }
            case 2: bytes.removeSubrange(place..<place + length)
            case 3: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: place)
            case 4: for index in place..<place + length { bytes[index] = UInt8(dice.roll(256)) }
            case 5:
                // A number of 1, 2, 4 or 8 bytes.
                let number = Self.numbers[dice.roll(Self.numbers.count)]
                for index in 0..<min(1 << dice.roll(4), bytes.count - place) {
                    bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
                }
            default:
                // A number as Thrift and levels write them.
                var number = Self.numbers[dice.roll(Self.numbers.count)], index = place
                while number > 0x7F, index < bytes.count {
                    bytes[index] = UInt8(truncatingIfNeeded: number) | 0x80
                    (number, index) = (number >> 7, index + 1)
                }
                if index < bytes.count { bytes[index] = UInt8(truncatingIfNeeded: number) }
            }
        }
        return bytes
    }

    /// In all some 3,000 files, of which the compressed ones mostly try the libraries.
    private static let count = 60

    @Test("a damaged file is read or refused", .timeLimit(.minutes(5)), arguments: Golden.names)
    func damagedFiles(_ name: String) throws {
        let whole = try Golden.bytes(name), column = Golden.column(name)
        var refused = 0
        for seed in 0..<UInt64(Self.count) {
            let bytes = mutated(
                whole, seed &* 1_000_003 &+ UInt64(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }.magnitude))
            try withFile(bytes) { path in
                do throws(Failure) {
                    _ = try texts(path, column)
                } catch {
                    #expect(error.status == .data && error.message.contains(path), "seed \(seed): \(error)")
                    refused += 1
                }
            }
        }
        #expect(refused > Self.count / 4, "\(refused) of \(Self.count) refused")
    }

    @Test("a file that ends anywhere before its end is refused", arguments: ["rows-dictionary-none-v1", "checked-v2"])
    func cutFiles(_ name: String) throws {
        let whole = try Golden.bytes(name)
        for count in stride(from: 0, to: whole.count, by: 7) {
            let isRefused = try withFile(Array(whole[..<count])) { path in (try? texts(path)) == nil }
            #expect(isRefused, "\(count) bytes")
        }
    }
}
