import TestSupport
import Collectives
import Diagnostics
import Foundation
import Platform
import Testing
import Threading
import Training

@Suite("The lock of a run") struct RunLockTests {
    @Test("a second owner is refused and told who has it") func refused() throws {
        try inScratchFolder { folder in
            let lock = try RunLock(runDirectory: folder)
            let failure = #expect(throws: Failure.self) {
                try RunLock(runDirectory: folder, waitPolicy: .milliseconds(100))
            }
            #expect(failure?.status == .inUse)
            let message = failure?.message ?? ""
            #expect(message.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName)"))
            #expect(message.contains("0 s ago"))
            lock.release()
            _ = try RunLock(runDirectory: folder, waitPolicy: .zero)
        }
    }

    @Test("a dying owner is waited for") func waitPolicy() throws {
        try inScratchFolder { folder in
            let hasLock = Monitor(false)
            let owner = JoinableThread {
                let lock = try? RunLock(runDirectory: folder)
                hasLock.update { $0 = lock != nil }
                Thread.sleep(forTimeInterval: 0.3)
                // Dropped, not released: as when the process dies.
                withExtendedLifetime(lock) {}
            }
            hasLock.wait { $0 ? () : nil }
            _ = try RunLock(runDirectory: folder, waitPolicy: .seconds(4))
            owner.join()
        }
    }

    private func foreignOwner(age: Double) throws -> [UInt8] {
        let owner = RunLock.Owner(host: "node-7", pid: 12, job: "4711", heartbeat: Date().timeIntervalSince1970 - age)
        return Array(try JSONEncoder().encode(owner))
    }

    @Test(
        "a silent owner on another host is waited for and taken over, whatever its clock says",
        arguments: [-86_400.0, -30, 0, 0.5, 2, 1e9])
    func silent(age: Double) throws {
        try inScratchFolder { folder in
            try put(foreignOwner(age: age), folder + "/lock")
            let reports = Monitor<[String]>([])
            let start = ContinuousClock.now
            let lock = try RunLock(
                runDirectory: folder, waitPolicy: .zero, staleAfter: 1,
                report: { text in reports.update { $0.append(text) } })
            let waited = (ContinuousClock.now - start) / .seconds(1)
            // One that was silent for long already needs less; for ten times as long, nothing.
            // Some time has gone since the owner's entry was made.
            #expect(waited >= 0.8 * (age >= 10 ? 0 : age >= 1 ? 0.25 : 1 - max(0, age)))
            #expect(reports.update { $0.isEmpty } == (age >= 10))
            try lock.confirmOwnership()
            lock.release()
        }
    }

    @Test("an owner on another host that beats is seen, whatever its clock says", arguments: [-86_400.0, 0, 300])
    func beating(age: Double) throws {
        try inScratchFolder { folder in
            try put(foreignOwner(age: age), folder + "/lock")
            let hasEnded = Monitor(false)
            let other = JoinableThread {
                var beats = 0.0
                while hasEnded.wait(upTo: .milliseconds(50), until: { $0 ? () : nil }) == nil {
                    beats += 1
                    guard let file = FileHandle(forWritingAtPath: folder + "/lock"),
                        let bytes = try? foreignOwner(age: age + beats / 1000)
                    else { continue }
                    try? file.write(contentsOf: bytes + Array(repeating: 0x20, count: 512 - bytes.count))
                }
            }
            let failure = #expect(throws: Failure.self) {
                try RunLock(runDirectory: folder, waitPolicy: .zero, staleAfter: 50)
            }
            hasEnded.update { $0 = true }
            other.join()
            #expect(failure?.status == .inUse)
            #expect(failure?.message.contains("process 12 on node-7, job 4711") ?? false)
        }
    }

    @Test("waiting for a silent owner can be broken off") func cancelled() throws {
        try inScratchFolder { folder in
            try put(foreignOwner(age: 0), folder + "/lock")
            let failure = #expect(throws: Failure.self) {
                try RunLock(runDirectory: folder, staleAfter: 1000, isCancelled: { true })
            }
            #expect(failure?.status == .temporaryFailure)
            #expect(String(decoding: try bytes(folder + "/lock"), as: UTF8.self).contains("node-7"))
        }
    }

    @Test("a job whose run directory is moved, removed or replaced notices", arguments: 0..<5) func moved(way: Int)
        throws
    {
        try inScratchFolder { folder in
            let run = folder + "/run", files = FileManager.default
            try files.createDirectory(atPath: run, withIntermediateDirectories: false)
            let lock = try RunLock(runDirectory: run, beatingEvery: .milliseconds(5))
            try lock.confirmOwnership()
            var next: RunLock?
            switch way {
            case 0: try files.moveItem(atPath: run, toPath: folder + "/old")
            case 1: try files.removeItem(atPath: run)
            case 2: try files.removeItem(atPath: run + "/lock")
            case 3:
                try files.moveItem(atPath: run, toPath: folder + "/old")
                try files.createDirectory(atPath: run, withIntermediateDirectories: false)
                next = try RunLock(runDirectory: run, waitPolicy: .zero)
            default:
                try files.removeItem(atPath: run + "/lock")
                next = try RunLock(runDirectory: run, waitPolicy: .zero)
            }
            let failure = #expect(throws: Failure.self) { try lock.confirmOwnership() }
            #expect(failure?.status == .inUse && failure?.message.contains("moved, removed or replaced") == true)
            var beat: Failure?
            while beat == nil {
                Thread.sleep(forTimeInterval: 0.01)
                do throws(Failure) { try lock.requireOwnership() } catch { beat = error }
            }
            #expect(beat?.status == .inUse)
            lock.release()
            try next?.confirmOwnership()
        }
    }

    @Test("a lock that is a link, a pipe or a directory is refused, and what it leads to is not written")
    func irregular() throws {
        try inScratchFolder { folder in
            try put(Array("precious".utf8), folder + "/precious")
            let lock = folder + "/lock"
            for way in 0..<3 {
                switch way {
                case 0:
                    try FileManager.default.createSymbolicLink(atPath: lock, withDestinationPath: folder + "/precious")
                case 1: unsafe mkfifo(lock, 0o600)
                default: try FileManager.default.createDirectory(atPath: lock, withIntermediateDirectories: false)
                }
                let failure = #expect(throws: Failure.self) { try RunLock(runDirectory: folder, waitPolicy: .zero) }
                #expect(failure?.status == .cannotCreate)
                try FileManager.default.removeItem(atPath: lock)
            }
            #expect(try bytes(folder + "/precious") == Array("precious".utf8))
        }
    }

    @Test("one rank takes it, all hear") func collective() throws {
        try inScratchFolder { folder in
            let held = try VirtualRanks.run(3) { c in
                let lock = try RunLock.acquire(runDirectory: folder, ranks: c)
                try lock?.requireOwnership()
                try c.barrier()
                return lock != nil
            }
            #expect(held == [true, false, false])
            let lock = try RunLock(runDirectory: folder, waitPolicy: .zero)
            let codes = try VirtualRanks.run(2) { c -> Diagnostics.ExitStatus? in
                (#expect(throws: Failure.self) {
                    try RunLock.acquire(runDirectory: folder, ranks: c, waitPolicy: .milliseconds(60))
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

private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

private func put(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(filePath: path)) }
