import Checkpoints
import Collectives
import Diagnostics
import Foundation
import Testing
import Threads

@Suite("The lock of a run") struct RunLockTests {
    @Test("a second owner is refused and told who has it") func refused() throws {
        try inScratchFolder { folder in
            let lock = try RunLock(runDirectory: folder)
            let failure = #expect(throws: Failure.self) {
                try RunLock(runDirectory: folder, patience: .milliseconds(100))
            }
            #expect(failure?.status == .inUse)
            let message = failure?.message ?? ""
            #expect(message.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName)"))
            #expect(message.contains(/last heard of [0-9]+ s ago/))
            lock.release()
            _ = try RunLock(runDirectory: folder, patience: .zero)
        }
    }

    @Test("a dying owner is waited for") func patience() throws {
        try inScratchFolder { folder in
            let hasLock = Monitor(false)
            let owner = JoinableThread {
                let lock = try? RunLock(runDirectory: folder)
                hasLock.change { $0 = lock != nil }
                Thread.sleep(forTimeInterval: 0.3)
                // Dropped, not released: as when the process dies.
                withExtendedLifetime(lock) {}
            }
            hasLock.wait { $0 ? () : nil }
            _ = try RunLock(runDirectory: folder, patience: .seconds(600))
            owner.join()
        }
    }

    @Test("another host's heartbeat counts until it has been silent") func otherHost() throws {
        try inScratchFolder { folder in
            for (age, isFree) in [(5.0, false), (40, false), (65, true)] {
                let owner = RunLock.Owner(
                    host: "node-7", pid: 12, job: "4711", heartbeat: Date().timeIntervalSince1970 - age)
                try put(Array(try JSONEncoder().encode(owner)), folder + "/lock")
                if isFree {
                    _ = try RunLock(runDirectory: folder, patience: .zero)
                } else {
                    let failure = #expect(throws: Failure.self) { try RunLock(runDirectory: folder, patience: .zero) }
                    #expect(failure?.message.contains("process 12 on node-7, job 4711") ?? false)
                }
            }
        }
    }

    @Test("one rank takes it, all hear") func collective() throws {
        try inScratchFolder { folder in
            let held = try VirtualRanks.run(3) { c in
                let lock = try RunLock.take(runDirectory: folder, ranks: c)
                try lock?.requireOwnership()
                try c.barrier()
                return lock != nil
            }
            #expect(held == [true, false, false])
            let lock = try RunLock(runDirectory: folder, patience: .zero)
            let codes = try VirtualRanks.run(2) { c -> Diagnostics.ExitStatus? in
                (#expect(throws: Failure.self) {
                    try RunLock.take(runDirectory: folder, ranks: c, patience: .milliseconds(60))
                })?.status
            }
            #expect(codes == [.inUse, .inUse])
            lock.release()
        }
    }

    @Test("it beats by itself until it is released") func heartbeat() throws {
        try inScratchFolder { folder in
            let lock = try RunLock(runDirectory: folder, beatingEvery: .milliseconds(5))
            let first = try owner(in: folder).heartbeat
            while try owner(in: folder).heartbeat == first { Thread.sleep(forTimeInterval: 0.005) }
            try lock.requireOwnership()
            lock.release()
            Thread.sleep(forTimeInterval: 0.05)
            #expect(try bytes(folder + "/lock").isEmpty)
        }
    }

    @Test("a job that was taken for dead notices who has the run now") func takenOver() throws {
        try inScratchFolder { folder in
            let lock = try RunLock(runDirectory: folder, beatingEvery: .milliseconds(5))
            let other = RunLock.Owner(
                host: "node-7", pid: 12, job: "", heartbeat: Date().timeIntervalSince1970)
            let content = try JSONEncoder().encode(other)
            // In place, as another host would; a beat between its reading and its writing may come in between.
            var failure: Failure?
            while failure == nil {
                let file = try FileHandle(forWritingTo: URL(filePath: folder + "/lock"))
                try file.write(contentsOf: content + Data(repeating: 0x20, count: 512 - content.count))
                try file.close()
                Thread.sleep(forTimeInterval: 0.02)
                do throws(Failure) { try lock.requireOwnership() } catch { failure = error }
            }
            #expect(failure?.status == .inUse && failure?.message.contains("process 12 on node-7") == true)
        }
    }

    private func owner(in folder: String) throws -> RunLock.Owner {
        try JSONDecoder().decode(RunLock.Owner.self, from: Data(bytes(folder + "/lock")))
    }
}
