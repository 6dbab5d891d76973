package import Collectives
package import Diagnostics
import Foundation
import Platform
import Threading

/// One job per run directory: a file `lock` held by `flock`, which the kernel gives up when the process dies, and in it
/// who holds it.
///
/// Where `flock` reaches only one machine (some network file systems), the heartbeat in the file stands in for it. A thread
/// of its own beats, so that a long step or save does not look like death. Clocks of different machines are not trusted: an
/// owner on another host is alive if its heartbeat changes while it is watched.
package final class RunLock: Sendable {
    package struct Owner: Codable, Sendable, Equatable {
        package var host: String
        package var pid: Int32
        package var job: String
        /// Seconds since 1970.
        package var heartbeat: Double
        /// Tells owners of one host name and number apart, as containers have them.
        package var token: String?

        package init(host: String, pid: Int32, job: String, heartbeat: Double, token: String? = nil) {
            self.host = host
            self.pid = pid
            self.job = job
            self.heartbeat = heartbeat
            self.token = token
        }

        func isSame(as other: Owner) -> Bool { (host, pid, token) == (other.host, other.pid, other.token) }
    }

    /// After this many seconds without a beat another host's owner is taken for dead.
    package static let staleAfter = 60.0

    private let file: LockFile
    private let life = Monitor(Life())
    private let heart: JoinableThread

    private struct Life {
        var isOver = false
        var lastBeat = ContinuousClock.now
        /// Of the last beat.
        var failure: Failure?
    }

    /// Takes the lock. Ranks of a job that is just dying get `waitPolicy` to let go, owners on other hosts as long as it takes
    /// to see whether they live.
    /// - Parameters:
    ///   - interval: between two beats
    ///   - staleAfter: seconds without a beat after which another host's owner is taken for dead
    ///   - isCancelled: whether to stop waiting
    ///   - report: takes a line that says what is waited for
    /// - Throws: `inUse`, naming the owner, if another job has it; `temporaryFailure` if waiting was canceled
    package init(
        runDirectory: String, waitPolicy: Duration = .seconds(5), beatingEvery interval: Duration = .seconds(5),
        staleAfter: Double = RunLock.staleAfter, isCancelled: () -> Bool = { false },
        report: (String) -> Void = { _ in }
    ) throws(Failure) {
        let deadline = ContinuousClock.now + waitPolicy
        var file = try LockFile(in: runDirectory, owner: Self.myself())
        while !file.lock() || !file.isInPlace {
            guard ContinuousClock.now < deadline else {
                try file.requirePlace()
                throw file.inUse(by: file.read())
            }
            usleep(50_000)
            // Its owner may have gone and taken the file along.
            if !file.isInPlace { file = try LockFile(in: runDirectory, owner: Self.myself()) }
        }
        try file.awaitSilence(staleAfter, isCancelled: isCancelled, report: report)
        try file.write()
        self.file = file
        heart = Self.startBeating(file, life, every: interval)
    }

    deinit { stopBeating() }

    /// Rank 0 takes the lock and returns it; all hear whether it could. Collective.
    package static func acquire(
        runDirectory: String, ranks: any Communicator, waitPolicy: Duration = .seconds(5)
    ) throws(Failure) -> RunLock? {
        try Agreement(ranks: ranks).onAllRanks { () throws(Failure) in
            ranks.rank == 0 ? try RunLock(runDirectory: runDirectory, waitPolicy: waitPolicy) : nil
        }
    }

    private static func startBeating(
        _ file: LockFile, _ life: Monitor<Life>, every interval: Duration
    ) -> JoinableThread {
        JoinableThread {
            while life.wait(upTo: interval, until: { $0.isOver ? () : nil }) == nil {
                let outcome = Result { () throws(Failure) in try file.beat() }
                life.update { life in
                    switch outcome {
                    case .success: (life.lastBeat, life.failure) = (.now, nil)
                    case .failure(let failure): life.failure = failure
                    }
                }
            }
        }
    }

    private func stopBeating() {
        let wasOver = life.update { life in
            defer { life.isOver = true }
            return life.isOver
        }
        if !wasOver { heart.join() }
    }

    /// Whether the run is still this job's, by what the last beat found. Costs nothing.
    /// - Throws: `inUse` if another job has taken over, because this one was silent for too long, or the run directory was
    ///   moved or removed; `inputOutput` if the heartbeat cannot be written for so long that one soon may
    package func requireOwnership() throws(Failure) {
        let (silent, failure) = life.update { (ContinuousClock.now - $0.lastBeat, $0.failure) }
        guard let failure, failure.status == .inUse || silent >= .seconds(Self.staleAfter / 2) else { return }
        throw failure
    }

    /// Looks whether the run is still this job's: before anything in its directory is published or removed.
    /// - Throws: as `requireOwnership`
    package func confirmOwnership() throws(Failure) {
        try requireOwnership()
        try file.requirePlace()
        if let other = file.read(), !other.isSame(as: file.owner) { throw file.inUse(by: other) }
    }

    /// Gives the lock back; the next owner may come from any host at once.
    package func release() {
        stopBeating()
        file.clear()
    }

    static func age(of owner: Owner) -> Double { Date().timeIntervalSince1970 - owner.heartbeat }

    private static func myself() -> Owner {
        let job = ProcessInfo.processInfo.environment["SLURM_JOB_ID"] ?? ""
        return Owner(
            host: ProcessInfo.processInfo.hostName, pid: getpid(), job: job, heartbeat: Date().timeIntervalSince1970,
            token: hexadecimal(UInt64.random(in: 0...UInt64.max)))
    }
}
