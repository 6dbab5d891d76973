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
            #expect(message.contains("0 s ago"))
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
            _ = try RunLock(runDirectory: folder, patience: .seconds(4))
            owner.join()
        }
    }

    @Test("another host's heartbeat counts until it has been silent") func otherHost() throws {
        try inScratchFolder { folder in
            for (age, isFree) in [(5.0, false), (55, false), (65, true)] {
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
                try lock?.beat()
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
}
