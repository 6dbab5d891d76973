import TestSupport
import Checkpoints
import Collectives
import Diagnostics
import Foundation
import RankChecks
import Tensors
import Testing
import Threading

@Suite("A folder of checkpoints") struct FolderTests {
    @Test("the newest that verifies is found, and what was passed over is told") func newest() throws {
        try inScratchFolder { folder in
            #expect(try CheckpointFolder(folder).newest().reader == nil)
            for step in [1, 2, 3] { try write(step: step, to: folder) }
            #expect(try CheckpointFolder(folder).newest().reader?.record.step == 3)
            try FileManager.default.removeItem(atPath: folder + "/step-00000003/index.h5")
            try FileManager.default.createDirectory(
                atPath: folder + "/step-00000009", withIntermediateDirectories: false)
            for other in ["step-9", "step-00000010.replaced-1", ".staging-step-00000011-x", "step-000000012"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(other)", withIntermediateDirectories: false)
            }
            let found = try VirtualRanks.run(3) { c in
                let (reader, skipped) = try CheckpointFolder(folder).newest(sharedBy: c)
                #expect(skipped.map { $0.directory.suffix(13) } == ["step-00000009", "step-00000003"])
                #expect(skipped.last?.reason.message.contains("index.h5 is missing") ?? false)
                return reader?.record.step
            }
            #expect(found == [2, 2, 2])
        }
    }

    @Test("retention keeps the last, the milestones and the best") func retention() throws {
        try inScratchFolder { folder in
            for step in 1...7 { try write(step: step, to: folder) }
            let removed = try CheckpointFolder(folder).apply(Retention(last: 2, every: 3, best: 1))
            #expect(removed == [2, 4, 5])
            #expect(CheckpointFolder(folder).published.map(\.step) == [1, 3, 6, 7])
            #expect(try CheckpointFolder(folder).apply(Retention(last: 2, every: 3, best: 1)) == [])
        }
    }

    @Test("a checkpoint that was renamed to another step is not the newest, and pushes nothing out") func renamed()
        throws
    {
        try inScratchFolder { folder in
            for step in 1...3 { try write(step: step, to: folder) }
            let newer = folder + "/step-00000009", older = folder + "/step-00000000"
            try FileManager.default.copyItem(atPath: folder + "/step-00000001", toPath: newer)
            try FileManager.default.copyItem(atPath: folder + "/step-00000002", toPath: older)
            let (reader, skipped) = try CheckpointFolder(folder).newest()
            #expect(reader?.record.step == 3)
            #expect(skipped.first?.reason.message.contains("called step-00000009 but holds step 1") ?? false)
            #expect(throws: Failure.self) { try CheckpointReader(newer) }
            #expect(throws: Failure.self) { try CheckpointReader(older) }
            #expect(try CheckpointFolder(folder).apply(Retention(last: 1)) == [1, 2])
            #expect(try names(in: folder) == ["step-00000000", "step-00000003", "step-00000009"])
            // Any other name says nothing about the step.
            try FileManager.default.moveItem(atPath: newer, toPath: folder + "/mine")
            #expect(try CheckpointReader(folder + "/mine").record.step == 1)
        }
    }

    @Test("an index of another step beside the manifest is refused") func otherIndex() throws {
        try inScratchFolder { folder in
            let directory = try write(step: 6, to: folder)
            let other = try write(step: 7, to: folder + "/other")
            try put(bytes(other + "/index.h5"), directory + "/index.h5")
            try reseal(directory)
            let failure = #expect(throws: Failure.self) { try CheckpointReader(directory) }
            #expect(failure?.message.contains("says step 7, the manifest beside it step 6") ?? false)
        }
    }

    @Test("what is no checkpoint is not removed, by whatever name") func foreign() throws {
        try inScratchFolder { folder in
            for step in 3...4 { try write(step: step, to: folder) }
            let others = ["step-00000001", "step-00000002", ".staging-notes", ".removing-me", ".staging-step-1-x"]
            for name in others {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: false)
                try put([1], "\(folder)/\(name)/thesis.txt")
            }
            #expect(try CheckpointFolder(folder).apply(Retention(last: 1)) == [3])
            try write(step: 5, to: folder)
            #expect(try names(in: folder) == (others + ["step-00000004", "step-00000005"]).sorted())
        }
    }

    @Test("nothing is removed or published in a folder that is another job's by now") func lost() throws {
        try inScratchFolder { folder in
            for step in 1...3 { try write(step: step, to: folder) }
            let lost = Failure(.inUse, "moved")
            #expect(throws: lost) {
                try CheckpointFolder(folder).apply(Retention(last: 1)) { () throws(Failure) in throw lost }
            }
            let state = TestState(step: 4)
            let failures = try VirtualRanks.run(2) { c -> Failure? in
                let asked = Monitor(0)
                let writer = try CheckpointWriter(directory: folder, ranks: c, shards: 2) { () throws(Failure) in
                    // Lost between the beginning of the save and its end.
                    if asked.update({
                        $0 += 1; return $0
                    }) > 1 {
                        throw lost
                    }
                }
                return #expect(throws: Failure.self) {
                    try writer.write(state.record, state.owned(by: c.rank, of: c.size, axis: 0))
                }
            }
            #expect(failures.allSatisfy { $0?.status == .inUse })
            #expect(try names(in: folder) == ["step-00000001", "step-00000002", "step-00000003"])
        }
    }

    @Test("damaged checkpoints do not push out the last good one") func retentionOfDamaged() throws {
        try inScratchFolder { folder in
            for step in 1...4 { try write(step: step, to: folder) }
            for step in 3...4 { try FileManager.default.removeItem(atPath: "\(folder)/step-0000000\(step)/manifest") }
            #expect(try CheckpointFolder(folder).apply(Retention(last: 1)) == [1])
            #expect(try CheckpointFolder(folder).newest().reader?.record.step == 2)
        }
    }

    @Test("half a checkpoint is never visible while one is removed") func retentionFails() throws {
        try inScratchFolder { folder in
            for step in 1...2 { try write(step: step, to: folder) }
            #expect(throws: Failure.self) {
                try CheckpointFolder(folder).apply(Retention(last: 1), faults: FaultPoints("retention:throw"))
            }
            #expect(try names(in: folder) == [".removing-step-00000001", "step-00000002"])
        }
    }

    @Test("resharding keeps every number and every word", arguments: [1, 3, 4]) func reshard(shards: Int) throws {
        try inScratchFolder { folder in
            let source = try write(step: 6, to: folder, ranks: 4, shards: 4, axis: 1)
            let target = folder + "/again"
            let size = try Resharding.reshard(source, to: target, shards: shards)
            let files = try names(in: target)
            #expect(files.count == shards + 2)
            #expect(try files.reduce(0) { try $0 + bytes("\(target)/\($1)").count } == size)
            let reader = try CheckpointReader(target)
            #expect(try TestState(step: 6).differences(from: reader) == [])
            #expect(try Verification(target).findings() == [])
            #expect(throws: Failure.self) { try Resharding.reshard(source, to: target, shards: 1) }
            #expect(try names(in: folder) == ["again", "step-00000006"])
        }
    }

    @Test("folders may be links to folders elsewhere") func links() throws {
        try inScratchFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/scratch", withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/checkpoints", withDestinationPath: folder + "/scratch")
            try write(step: 1, to: folder + "/checkpoints")
            #expect(try CheckpointFolder(folder + "/checkpoints").newest().reader?.record.step == 1)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link", withDestinationPath: folder + "/scratch/step-00000001")
            #expect(try Resharding.reshard(folder + "/link", to: folder + "/again/", shards: 2) > 0)
            #expect(try names(in: folder) == ["again", "checkpoints", "link", "scratch"])
        }
    }

    @Test("any rectangle is read from any cut", arguments: [0, 1, 2]) func rectangles(axis: Int) throws {
        try inScratchFolder { folder in
            let state = TestState(step: 6)
            let reader = try CheckpointReader(write(step: 6, to: folder, ranks: 4, shards: 2, axis: axis))
            for (tensor, (name, shape)) in state.shapes.enumerated() {
                for number in 0..<40 {
                    let offset = shape.enumerated().map { ($1 - 1) * (number * ($0 + 3) % 7) / 7 }
                    let part = zip(shape, offset).enumerated().map {
                        1 + ($1.0 - $1.1 - 1) * (number * ($0 + 2) % 5) / 4
                    }
                    let values = try reader.read(name, offset: offset, shape: part)
                    let expected = state.shard(tensor, Rectangle(offset: offset, shape: part)).values
                    #expect(values.array == expected.array, "\(name) \(part) at \(offset)")
                }
            }
        }
    }

    @Test("asking for what is not there says what is") func readingErrors() throws {
        try inScratchFolder { folder in
            let reader = try CheckpointReader(write(step: 6, to: folder))
            let failure = #expect(throws: Failure.self) { try reader.read("parameters/embeding") }
            #expect(failure?.advice?.contains("parameters/embedding") ?? false)
            #expect(throws: Failure.self) { try reader.read("parameters/embedding", offset: [30, 0], shape: [8, 8]) }
            #expect(throws: Failure.self) { try reader.read("parameters/embedding", offset: [30], shape: [2]) }
            #expect(throws: Failure.self) { try CheckpointReader(folder + "/nothing") }
        }
    }
}
