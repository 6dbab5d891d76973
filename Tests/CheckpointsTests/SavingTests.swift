import TestSupport
import Checkpoints
import Collectives
import Diagnostics
import Foundation
import Platform
import RankChecks
import Tensors
import Testing

@Suite("Saving") struct SavingTests {
    @Test("the same state gives the same bytes") func stableBytes() throws {
        try inScratchFolder { folder in
            let one = try write(step: 3, to: folder + "/one", ranks: 3, shards: 2, axis: 1)
            Thread.sleep(forTimeInterval: 1.1)
            let two = try write(step: 3, to: folder + "/two", ranks: 3, shards: 2, axis: 1)
            let files = try names(in: one)
            #expect(
                files == ["index.h5", "manifest"] + (1...2).map { "test_run_1-step-00000003-0000\($0)-of-00002.h5" })
            #expect(try names(in: two) == files)
            for file in files { #expect(try bytes("\(one)/\(file)") == bytes("\(two)/\(file)"), "\(file)") }
        }
    }

    @Test("checksums depend on the numbers, not on who owns them") func digests() throws {
        try inScratchFolder { folder in
            var digests: [[UInt64]] = []
            for (ranks, axis) in [(1, 0), (3, 0), (4, 1)] {
                let directory = try write(step: 3, to: "\(folder)/\(ranks)", ranks: ranks, shards: 1, axis: axis)
                digests.append(try CheckpointReader(directory).tensors.map(\.digest))
            }
            #expect(digests[0] == digests[1] && digests[0] == digests[2])
            #expect(Set(digests[0]).count == digests[0].count)
            let other = try CheckpointReader(write(step: 4, to: folder + "/other")).tensors.map(\.digest)
            #expect(zip(digests[0], other).allSatisfy { $0 != $1 })
        }
    }

    @Test("a checksum notices one bit, and one element elsewhere") func digestSensitivity() {
        let digest = TensorDigest(name: "a")
        let values = Vector<Float>([1, 2, 3, 0])
        let whole = digest.part(values.span, at: 0)
        let left = digest.part(values[0..<2].span, at: 0), right = digest.part(values[2..<4].span, at: 2)
        #expect(left &+ right == whole)
        #expect(digest.part(Vector<Float>([1, 2, 3, -0.0]).span, at: 0) != whole)
        #expect(digest.part(Vector<Float>([2, 1, 3, 0]).span, at: 0) != whole)
        #expect(digest.part(values.span, at: 1) != whole)
        #expect(TensorDigest(name: "b").part(values.span, at: 0) != whole)
        // Of the specification (docs/checkpoint-format.md), so that other programs can check theirs.
        #expect(whole == 0x4B85_37AB_7043_F113)
    }

    @Test("what is owned twice, by nobody, or outside is refused on every rank") func cover() throws {
        let state = TestState(step: 1)
        let wrong: [(String, @Sendable (Int, inout [TensorShard]) -> Void)] = [
            (
                "owned twice",
                { rank, shards in if rank == 1 { shards[0] = state.shard(0, Rectangle(whole: [37, 8])) } }
            ),
            ("owned by no rank", { rank, shards in if rank == 1 { shards.remove(at: 2) } }),
            ("lies outside", { rank, shards in if rank == 1 { shards[1].offset = [7] } }),
            ("elsewhere", { rank, shards in if rank == 1 { shards[0].globalShape = [37, 9] } }),
            ("cannot be", { rank, shards in if rank == 1 { shards[0].name = "a b" } }),
            ("cannot be", { rank, shards in if rank == 1 { shards[0].name = "a/../b" } }),
        ]
        try inScratchFolder { folder in
            for (word, change) in wrong {
                let messages = try VirtualRanks.run(2) { c -> String in
                    let writer = try CheckpointWriter(directory: folder, ranks: c, shards: 1)
                    var shards = state.owned(by: c.rank, of: 2)
                    change(c.rank, &shards)
                    let failure = #expect(throws: Failure.self) { try writer.write(state.record, shards) }
                    return failure?.message ?? ""
                }
                #expect(messages[0] == messages[1])
                #expect(messages[0].contains(word), "\(messages[0])")
                #expect(try names(in: folder) == [])
            }
        }
    }

    @Test("an existing checkpoint stays if it is the same, and makes way if it is damaged or another") func existing()
        throws
    {
        try inScratchFolder { folder in
            let directory = try write(step: 5, to: folder)
            let shard = try #require(names(in: directory).last)
            var damaged = try bytes("\(directory)/\(shard)")
            damaged[damaged.count - 3] ^= 1
            try put(damaged, "\(directory)/\(shard)")
            try write(step: 5, to: folder)
            #expect(try names(in: folder) == ["step-00000005", "step-00000005.replaced-1"])
            #expect(try TestState(step: 5).differences(from: CheckpointReader(directory)) == [])
            let state = TestState(step: 5)
            let outcome = try VirtualRanks.run(1) { c in
                let shards = state.owned(by: 0, of: 1)
                shards[0].values[0] += 1
                return try CheckpointWriter(directory: folder, ranks: c, shards: 1).write(state.record, shards)
            }[0]
            #expect(outcome.isNew)
            #expect(try names(in: folder).suffix(2) == ["step-00000005.replaced-1", "step-00000005.replaced-2"])
        }
    }

    @Test("leftovers of a process that died are removed") func leftovers() throws {
        try inScratchFolder { folder in
            for name in [".staging-step-00000009-ab", ".removing-step-00000001"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)/x", withIntermediateDirectories: true)
            }
            try write(step: 1, to: folder)
            #expect(try names(in: folder) == ["step-00000001"])
        }
    }

    @Test("an unwritable place is said, on every rank") func unwritable() throws {
        try inScratchFolder { folder in
            try put([], folder + "/file")
            let failure = #expect(throws: Failure.self) { try write(step: 1, to: folder + "/file/checkpoints") }
            #expect(failure?.status == .cannotCreate)
            #expect(failure?.message.contains("file/checkpoints") ?? false)
        }
    }

    @Test("writing can go on beside other work") func background() throws {
        try inScratchFolder { folder in
            let state = TestState(step: 2)
            let outcomes = try VirtualRanks.run(3) { c in
                let writer = try CheckpointWriter(directory: folder, ranks: c, shards: 3)
                let pending = try writer.begin(state.record, state.owned(by: c.rank, of: 3), overlapping: true)
                let sum = Vector<Int32>([1])
                try c.allReduceSum(sum)
                while !pending.isReady { Thread.sleep(forTimeInterval: 0.001) }
                try c.barrier()
                if c.rank == 0 { #expect(CheckpointFolder(folder).published.isEmpty) }
                try c.barrier()
                return try pending.finish()
            }
            #expect(outcomes.allSatisfy { $0.isNew })
            #expect(try state.differences(from: CheckpointReader(outcomes[0].directory)) == [])
        }
    }

    @Test("a failure in the background comes out at the end, on every rank") func backgroundFailure() throws {
        try inScratchFolder { folder in
            let state = TestState(step: 2)
            let messages = try VirtualRanks.run(2) { c -> String in
                let writer = try CheckpointWriter(
                    directory: folder, ranks: c, shards: 2, faults: FaultPoints("shards@2:throw"))
                let pending = try writer.begin(state.record, state.owned(by: c.rank, of: 2), overlapping: true)
                return (#expect(throws: Failure.self) { try pending.finish() })?.message ?? ""
            }
            #expect(messages[0] == messages[1] && messages[0].contains("rank 0"))
            #expect(try names(in: folder) == [])
        }
    }

    @Test("fault points are read from words") func faultPoints() throws {
        for text in ["nowhere", "", "staging@x", "staging:kill"] {
            #expect(throws: Failure.self) { try FaultPoints(text) }
        }
        for text in ["staging", "rename@200", "fsync:throw", "index@3:throw"] { _ = try FaultPoints(text) }
    }
}
