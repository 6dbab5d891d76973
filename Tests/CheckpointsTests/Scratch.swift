import Checkpoints
import Collectives
import Foundation
import RankChecks

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

/// Writes the manifest anew for the files as they are now, as somebody would who wants changed bytes to verify.
/// - Parameter change: of its lines, without the last
func reseal(_ directory: String, _ change: (inout [String]) throws -> Void = { _ in }) throws {
    let path = directory + "/manifest"
    var lines = String(decoding: try bytes(path).dropLast(73), as: UTF8.self).split(separator: "\n").map(String.init)
    for index in lines.indices where lines[index].hasPrefix("file ") {
        let name = lines[index].split(separator: " ")[3], digest = try FileDigest(of: "\(directory)/\(name)")
        lines[index] = "file \(digest.bytes) \(digest.sha256) \(name)"
    }
    try change(&lines)
    let body = Array((lines.joined(separator: "\n") + "\n").utf8)
    try put(body + Array("sha256 \(SHA256.digest(of: body))\n".utf8), path)
}
