import Checkpoints
package import Collectives
import Diagnostics
import Foundation
import Platform
import Tensors

/// Ranks write a checkpoint together, in every number of shards; each reads back all of it, and rectangles of it.
package let checkpointCheckList: [RankCheck] = [
    RankCheck("checkpoints: written together, read by each", checkRoundTrip),
    RankCheck("checkpoints: a failed save leaves nothing", checkFailedSave),
    RankCheck("checkpoints: damage is found, by all ranks alike", checkDamage),
]

private func checkRoundTrip(_ c: any Communicator, _ found: Expectations) throws {
    try inSharedFolder(c) { folder in
        for shards in 1...c.size {
            for axis in 0..<2 {
                let directory = "\(folder)/\(shards)-\(axis)", state = TestState(step: 10 * shards + axis)
                let writer = try CheckpointWriter(directory: directory, ranks: c, shards: shards)
                let outcome = try writer.write(state.record, state.owned(by: c.rank, of: c.size, axis: axis))
                found.expect(outcome.isNew, "a first save is new")
                try readBack(outcome.directory, state, on: c, into: found, as: "\(shards) shards, axis \(axis)")
                let again = try writer.write(state.record, state.owned(by: c.rank, of: c.size, axis: axis))
                found.expect(!again.isNew, "the same state again is not written")
            }
        }
    }
}

private func readBack(
    _ directory: String, _ state: TestState, on c: any Communicator, into found: Expectations, as what: String
) throws {
    let reader = try CheckpointReader(directory, sharedBy: c)
    for difference in try state.differences(from: reader) { found.expect(false, "\(what): \(difference)") }
    let part = Rectangle(offset: [1, 2 + c.rank % 3, 1], shape: [2, 3, 4])
    let expected = state.shard(2, part)
    let values = try reader.read(expected.name, offset: part.offset, shape: part.shape)
    found.expect(values.array == expected.values.array, "\(what): rectangle \(part)")
    try reader.close()
    try c.barrier()
}

private func checkFailedSave(_ c: any Communicator, _ found: Expectations) throws {
    try inSharedFolder(c) { folder in
        let old = TestState(step: 1), new = TestState(step: 2)
        for shards in [1, c.size] {
            let directory = "\(folder)/\(shards)"
            let writer = try CheckpointWriter(directory: directory, ranks: c, shards: shards)
            try writer.write(old.record, old.owned(by: c.rank, of: c.size))
            for point in FaultPoints.Point.allCases where point != .retention {
                let faulty = try CheckpointWriter(
                    directory: directory, ranks: c, shards: shards, faults: FaultPoints("\(point.rawValue):throw"))
                let failure = failureOf { try faulty.write(new.record, new.owned(by: c.rank, of: c.size)) }
                found.expect(
                    failure?.message.contains(point.rawValue) ?? false, "\(point): \(String(describing: failure))")
                try c.barrier()
                let left = try FileManager.default.contentsOfDirectory(atPath: directory)
                found.expectEqual(left, ["step-00000001"], "what a save that failed at \(point) leaves")
                try c.barrier()
            }
            try readBack("\(directory)/step-00000001", old, on: c, into: found, as: "the older checkpoint")
        }
    }
}

/// Forty flips and truncations over all files: every rank refuses the checkpoint with the same words, and the one before
/// it is found.
private func checkDamage(_ c: any Communicator, _ found: Expectations) throws {
    try inSharedFolder(c) { folder in
        let writer = try CheckpointWriter(directory: folder, ranks: c, shards: c.size)
        for step in 1...2 {
            let state = TestState(step: step)
            try writer.write(state.record, state.owned(by: c.rank, of: c.size))
        }
        let directory = "\(folder)/step-00000002"
        let files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        for round in 0..<40 {
            let path = "\(directory)/\(files[round % files.count])"
            let original = try Data(contentsOf: URL(filePath: path))
            try c.barrier()
            if c.rank == 0 { try damaged(original, round).write(to: URL(filePath: path)) }
            try c.barrier()
            let (reader, skipped) = try CheckpointFolder(folder).newest(sharedBy: c)
            let words = try c.allGather(Array((skipped.first?.reason.message ?? "").utf8))
            found.expect(
                words.allSatisfy { $0 == words[0] && !$0.isEmpty }, "round \(round): ranks hear different words")
            found.expectEqual(reader?.record.step, 1, "round \(round): the newest that verifies")
            try reader?.close()
            try c.barrier()
            if c.rank == 0 { try original.write(to: URL(filePath: path)) }
            try c.barrier()
        }
        found.expectEqual(
            try CheckpointFolder(folder).newest(sharedBy: c).reader?.record.step, 2, "the newest, repaired")
    }
}

private func damaged(_ bytes: Data, _ round: Int) -> Data {
    let place = round &* 7919 % bytes.count
    if round % 4 == 3 { return Data(bytes.prefix(place)) }
    var damaged = [UInt8](bytes)
    damaged[place] ^= UInt8(1 << (round % 8))
    return Data(damaged)
}

private func failureOf(_ body: () throws -> CheckpointOutcome) -> Failure? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? Failure
    }
}

/// A folder that all ranks see, gone afterwards. Collective.
package func inSharedFolder(_ c: any Communicator, _ body: (String) throws -> Void) throws {
    let own = FileManager.default.temporaryDirectory.appending(path: "switchyard-\(UUID().uuidString)").path()
    let folder = try Agreement(ranks: c).broadcast(own)
    if c.rank == 0 { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    try c.barrier()
    try body(folder)
    try c.barrier()
    if c.rank == 0 { try FileManager.default.removeItem(atPath: folder) }
}
