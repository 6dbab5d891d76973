// mutate FILE SEED: changes the file in place, the same way for the same seed, and prints what it did. A program of its own, so
// that Tests/long/fuzz.sh can damage files thousands of times without waiting for an interpreter.
import Foundation

struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        // SplitMix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(max(1, sides)))
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let seed = UInt64(arguments[2]),
    let original = FileManager.default.contents(atPath: arguments[1])
else {
    FileHandle.standardError.write(Data("usage: mutate FILE SEED\n".utf8))
    exit(64)
}

let words = [
    "0", "-1", "9223372036854775807", "18446744073709551616", "1e999", "{}", "[[[[", "\u{0}", "..", "NaN", "\r\n",
]
let numbers: [UInt64] = [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 40, .max, .max - 7]
var bytes = Array(original), dice = Dice(state: seed), told: [String] = []

func change() {
    // Half of all changes hit the first kilobytes, where headers are.
    let place = dice.roll(dice.roll(2) == 0 ? min(4096, bytes.count) : bytes.count)
    let length = min(1 + dice.roll(64), bytes.count - place)
    let kind = dice.roll(8)
    told.append("\(kind)@\(place)+\(length)")
    switch kind {
    case 0, 1: if !bytes.isEmpty { bytes[place] ^= 1 << UInt8(dice.roll(8)) }
    case 2: bytes.removeSubrange(place..<place + length)
    case 3: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: place)
    case 4: bytes.removeLast(dice.roll(bytes.count + 1))
    case 5: bytes.replaceSubrange(place..<place + length, with: Array(words[dice.roll(words.count)].utf8))
    case 6: for index in place..<place + length { bytes[index] = UInt8(dice.roll(256)) }
    default:
        let width = [1, 2, 4, 8][dice.roll(4)], number = numbers[dice.roll(numbers.count)]
        for index in 0..<width where place + index < bytes.count {
            bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
    }
}

repeat {
    for _ in 0...dice.roll(3) { change() }
} while bytes == Array(original)
do {
    try Data(bytes).write(to: URL(fileURLWithPath: arguments[1]))
} catch {
    FileHandle.standardError.write(Data("mutate: \(error)\n".utf8))
    exit(74)
}
print(told.joined(separator: " "))
