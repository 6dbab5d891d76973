import Checkpoints
import Collectives
import Foundation
import RankChecks

/// A folder that is gone after the test.
func inScratchFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "checkpoints-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}

/// Writes the test state of `step` by virtual ranks; returns the checkpoint's directory.
@discardableResult
func write(step: Int, to folder: String, ranks: Int = 2, shards: Int = 2, axis: Int = 0) throws -> String {
    let state = TestState(step: step)
    return try VirtualRanks.run(ranks) { c in
        let writer = try CheckpointWriter(directory: folder, ranks: c, shards: shards)
        return try writer.write(state.record, state.owned(by: c.rank, of: c.size, axis: axis)).directory
    }[0]
}

func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

func put(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(filePath: path)) }
