import Checkpoints
import Collectives
import Diagnostics
import Foundation
import Platform
import Tensors

/// Checks that change their process, so that they cannot run on virtual ranks.
package let processCheckList: [RankCheck] = [
    RankCheck("checkpoints: a rank whose disk is full does no harm", checkFullDisk)
]

/// The last rank may write no file beyond a limit, as if its disk were full: at the first byte, inside of the metadata,
/// inside of the numbers. All ranks must hear of it and go on; the next save succeeds.
private func checkFullDisk(_ c: any Communicator, _ found: Expectations) throws {
    try inSharedFolder(c) { folder in
        for shards in 1...c.size {
            let directory = "\(folder)/\(shards)"
            let writer = try CheckpointWriter(directory: directory, ranks: c, shards: shards)
            // Ranks that share a file write metadata together, and there one rank alone never has a full disk.
            let limits = shards == c.size ? [0, 100, 3000, 40_000, 300_000] : [40_000, 300_000]
            for (attempt, limit) in limits.enumerated() {
                let shard = bigShard(of: c), record = CheckpointRecord(run: "full", step: attempt + 1)
                let failure = withFileSizeLimit(c.rank == c.size - 1 ? limit : nil) { () -> Failure? in
                    do throws(Failure) {
                        try writer.write(record, [shard])
                        return nil
                    } catch {
                        return error
                    }
                }
                found.expect(
                    failure?.status == .inputOutput, "\(shards) shards, \(limit) bytes: \(failure, default: "nothing")")
                try c.barrier()
                let left = try FileManager.default.contentsOfDirectory(atPath: directory)
                found.expectEqual(left, [], "left after a failure at \(limit) bytes")
                try c.barrier()
            }
            try writer.write(CheckpointRecord(run: "full", step: 99), [bigShard(of: c)])
            let reader = try CheckpointReader("\(directory)/step-00000099", sharedBy: c)
            found.expectEqual(reader.tensors.map(\.name), ["x"], "what the save after a full disk holds")
            try reader.close()
            try c.barrier()
        }
    }
}

/// 400 kB a rank.
private func bigShard(of c: any Communicator) -> TensorShard {
    TensorShard(
        name: "x", globalShape: [100 * c.size, 1000], offset: [100 * c.rank, 0], shape: [100, 1000],
        values: Vector<Float>((0..<100_000).map(Float.init)))
}

private func withFileSizeLimit<Answer>(_ bytes: Int?, _ body: () -> Answer) -> Answer {
    guard let bytes else { return body() }
    var old = rlimit()
    signal(SIGXFSZ, SIG_IGN)
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: old.rlim_max)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    defer { unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old) }
    return body()
}
