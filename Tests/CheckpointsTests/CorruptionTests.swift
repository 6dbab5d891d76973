import TestSupport
import Checkpoints
import Diagnostics
import Foundation
import Platform
import RankChecks
import Testing

/// Pseudo-random choices that are the same in every run.
private struct Dice {
    private var state: UInt64 = 42

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }
}

@Suite("Damage") struct CorruptionTests {
    /// Copies `directory`, damages the copy, and returns the complaint about it; nil if it still verifies.
    private func complaint(about directory: String, damagedBy damage: (String) throws -> Void) throws -> String? {
        let copy = directory + "-copy"
        try FileManager.default.copyItem(atPath: directory, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try damage(copy)
        do {
            let reader = try CheckpointReader(copy)
            try reader.close()
            return reader.surplusWarning
        } catch {
            return error.message
        }
    }

    @Test("numbers that are not those that were saved are not read, also where every file is what its manifest says")
    func foreignNumbers() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder, ranks: 2, shards: 2)
            try reseal(directory) { lines in
                let tensor = try #require(lines.lastIndex { $0.hasPrefix("tensor ") })
                var words = lines[tensor].split(separator: " ").map(String.init)
                words[3] = "0123456789abcdef"
                lines[tensor] = words.joined(separator: " ")
            }
            let failure = #expect(throws: Failure.self) { try CheckpointReader(directory) }
            let message = failure?.message ?? "nothing"
            #expect(message.contains("is not what was saved: its checksum differs"), "\(message)")
        }
    }

    @Test("300 flips, truncations, deletions and additions are all found and name the file") func random() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder, ranks: 3, shards: 3)
            let files = try names(in: directory)
            var dice = Dice()
            for round in 0..<300 {
                let file = files[dice.roll(files.count)]
                let original = try bytes("\(directory)/\(file)")
                var blamed = file
                let found = try complaint(about: directory) { copy in
                    let path = "\(copy)/\(file)"
                    switch round % 6 {
                    case 0, 1, 2:
                        var damaged = original
                        damaged[dice.roll(damaged.count)] ^= UInt8(1 << dice.roll(8))
                        try put(damaged, path)
                    case 3: try put(Array(original.prefix(dice.roll(original.count))), path)
                    case 4: try FileManager.default.removeItem(atPath: path)
                    default:
                        if dice.roll(2) == 0 {
                            try put(original + [UInt8(dice.roll(256))], path)
                        } else {
                            blamed = ".surplus-\(round).h5"
                            try put([1, 2, 3], "\(copy)/\(blamed)")
                        }
                    }
                }
                #expect(found?.contains(blamed) ?? false, "round \(round), \(file): \(found ?? "not found")")
            }
        }
    }

    @Test("a damaged tensor is named, and only it") func tensor() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder, ranks: 2, shards: 1)
            let shard = try #require(names(in: directory).last), path = "\(directory)/\(shard)"
            let piece = try #require(
                CheckpointReader(directory).tensors.first { $0.name == "optimizer/first_moment/embedding" }?.pieces
                    .first)
            let original = try bytes(path)
            for (byte, word) in [
                (piece.byteOffset, "damaged: optimizer/first_moment/embedding"),
                (piece.byteOffset + 4 * 37 * 8 - 1, "damaged: optimizer/first_moment/embedding"),
                (9, "the numbers of its tensors are whole, what describes them is not"),
            ] {
                let found = try complaint(about: directory) { copy in
                    var damaged = original
                    damaged[byte] ^= 0x10
                    try put(damaged, "\(copy)/\(shard)")
                }
                #expect(found?.hasSuffix(word) ?? false, "\(found ?? "nothing")")
            }
        }
    }

    @Test("files that are no files, or another checkpoint's, are found") func foreign() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 7, to: folder), other = try write(step: 8, to: folder + "/other")
            let shard = try #require(names(in: directory).last), foreign = try #require(names(in: other).last)
            let damages: [(String, (String) throws -> Void)] = [
                (
                    "not a regular file",
                    {
                        try FileManager.default.createSymbolicLink(
                            atPath: $0, withDestinationPath: "\(directory)/\(shard)")
                    }
                ),
                ("not a regular file", { unsafe mkfifo($0, 0o600) }),
                (
                    "not a regular file",
                    {
                        try FileManager.default.createDirectory(
                            atPath: $0, withIntermediateDirectories: false)
                    }
                ),
                ("differs", { try FileManager.default.copyItem(atPath: "\(other)/\(foreign)", toPath: $0) }),
            ]
            for (word, damage) in damages {
                let found = try complaint(about: directory) { copy in
                    try FileManager.default.removeItem(atPath: "\(copy)/\(shard)")
                    try damage("\(copy)/\(shard)")
                }
                #expect(found?.contains(word) ?? false, "\(found ?? "not found")")
            }
            let foreignManifest = try complaint(about: directory) { copy in
                try put(try bytes("\(other)/manifest"), "\(copy)/manifest")
            }
            #expect(foreignManifest?.contains("is missing") ?? false)
            let empty = try complaint(about: directory) { copy in
                for name in try names(in: copy) { try FileManager.default.removeItem(atPath: "\(copy)/\(name)") }
            }
            #expect(empty?.contains("manifest is missing") ?? false)
        }
    }
}
