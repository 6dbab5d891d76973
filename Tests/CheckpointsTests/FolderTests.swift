import Checkpoints
import Collectives
import Diagnostics
import Foundation
import RankChecks
import Testing

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
                let (reader, passedOver) = try CheckpointFolder(folder).newest(sharedBy: c)
                #expect(passedOver.map { $0.directory.suffix(13) } == ["step-00000009", "step-00000003"])
                #expect(passedOver.last?.reason.message.contains("index.h5 is missing") ?? false)
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
            let manifest = try Verification.manifest(of: target)
            #expect(Verification.tensorFindings(in: target, manifest) == [])
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
