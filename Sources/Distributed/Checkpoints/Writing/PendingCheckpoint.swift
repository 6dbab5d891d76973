import Collectives
package import Diagnostics
import Platform
import Threading

/// A save between `CheckpointWriter.begin` and its end: nothing of it is visible yet.
package final class PendingCheckpoint {
    private let target: String
    private let staging: String
    private let record: CheckpointRecord
    private let tensors: [StoredTensor]
    private let files: [String]
    private let own: ShardFile
    private let mine: [ShardFile.Contribution]
    private let isThere: Bool
    private let ranks: any Communicator
    private let faults: FaultPoints
    private let owns: @Sendable () throws(Failure) -> Void
    private var clock: PhaseClock
    private var thread: JoinableThread?
    private let work = Monitor<Result<ShardWork, Failure>?>(nil)

    init(
        target: String, staging: String, record: CheckpointRecord, tensors: [StoredTensor], files: [String],
        own: ShardFile, mine: [ShardFile.Contribution], isThere: Bool, ranks: any Communicator, faults: FaultPoints,
        owns: @escaping @Sendable () throws(Failure) -> Void, clock: PhaseClock
    ) {
        self.target = target
        self.staging = staging
        self.record = record
        self.tensors = tensors
        self.files = files
        self.own = own
        self.mine = mine
        self.isThere = isThere
        self.ranks = ranks
        self.faults = faults
        self.owns = owns
        self.clock = clock
    }

    /// Whether this rank's file is on the disk, so that `finish` will not wait for this rank. Not collective: ranks agree
    /// before they finish together.
    package var isReady: Bool { thread == nil || work.update { $0 != nil } }

    /// Makes the staging directory and, in the background, begins to write. Collective.
    func start(overlapping: Bool) throws(Failure) {
        do {
            try Agreement(ranks: ranks).onRankZero { () throws(Failure) in
                try owns()
                try checkSpace()
                // Of an attempt of this job that ended half-way.
                try removeTree(staging)
                try Files.makeNewDirectory(staging)
                try faults.inject(.staging, step: record.step)
            }
        } catch {
            throw try discarded(after: error)
        }
        guard overlapping, own.group?.size ?? 1 == 1 else { return }
        let own = own, mine = mine, work = work, fault = shardFault
        thread = JoinableThread {
            let result = Result { () throws(Failure) in try own.complete(mine, atFault: fault) }
            work.update { $0 = result }
        }
    }

    /// A disk that is too full is best noticed before anything is written to it.
    private func checkSpace() throws(Failure) {
        let datasets = tensors.reduce(0) { $0 + $1.pieces.count }
        let needed = tensors.reduce(0) { $0 + 4 * $1.count } + 4096 * (datasets + tensors.count + 16 * files.count)
        let directory = splitPath(staging).parent
        guard let free = Files.freeBytes(in: directory), free < needed else { return }
        throw Failure(
            .inputOutput, "the checkpoint needs \(needed) bytes; \(directory) has \(free) bytes left",
            advice: "make room, or lower checkpoint.keep")
    }

    /// The fault point inside of writing a shard.
    private var shardFault: @Sendable () throws(Failure) -> Void {
        let isFirst = ranks.rank == 0, faults = faults, step = record.step
        return { () throws(Failure) in
            if isFirst { try faults.inject(.shards, step: step) }
        }
    }

    /// Waits for the files, adds index and manifest, and publishes. Collective; once.
    ///
    /// - Throws: as `CheckpointWriter.write`
    package func finish() throws(Failure) -> CheckpointOutcome {
        if isThere { return CheckpointOutcome(directory: target, bytes: 0, isNew: false, seconds: clock.seconds) }
        let agreement = Agreement(ranks: ranks)
        do {
            clock.restart()
            let report = try agreement.onAllRanks { () throws(Failure) in try shardReport() }
            let lines = try agreement.allGather(Array((report?.line ?? "").utf8)).filter { !$0.isEmpty }
            let reports = lines.map { ShardReport(line: String(decoding: $0, as: UTF8.self)) }
            clock.restart()
            let bytes = try agreement.onRankZero { () throws(Failure) in
                let draft = try StagedCheckpoint(
                    staging: staging, record: record, files: files, tensors: tensors, reports: reports)
                return try draft.publish(as: target, faults, owns: owns)
            }
            clock.mark("publish")
            return CheckpointOutcome(directory: target, bytes: bytes ?? 0, isNew: true, seconds: clock.seconds)
        } catch {
            throw try discarded(after: error)
        }
    }

    /// This rank's file, complete; nil where another rank leads it.
    private func shardReport() throws(Failure) -> ShardReport? {
        let done: ShardWork
        if let thread {
            thread.join()
            guard let result = work.update({ $0 }) else {
                throw Failure(.software, "\(own.path): the writing thread ended without a result")
            }
            done = try result.get()
        } else {
            done = try own.complete(mine, atFault: shardFault)
        }
        clock.seconds += done.seconds
        return done.report
    }

    /// Removes what was staged and returns the failure that led here; where ranks cannot communicate, nothing collective can be
    /// done and the next start cleans up.
    private func discarded(after failure: Failure) throws(Failure) -> Failure {
        guard failure.status != .communication else { return failure }
        let agreement = Agreement(ranks: ranks)
        try agreement.barrier()
        if ranks.rank == 0 {
            do {
                try removeTree(staging)
            } catch {
                // The first failure says more; the next start removes the remains.
            }
        }
        try agreement.barrier()
        return failure
    }
}

/// What a save did.
package struct CheckpointOutcome: Sendable {
    package var directory: String
    /// Of all files; 0 if nothing was written. On rank 0.
    package var bytes: Int
    package var isNew: Bool
    /// How long its phases took on this rank: `digest`, `write`, `sync`, `hash`, `publish`.
    package var seconds: [(phase: String, seconds: Double)]
}

/// Wall-clock time of consecutive phases.
struct PhaseClock {
    private var last = ContinuousClock.now
    var seconds: [(phase: String, seconds: Double)] = []

    mutating func mark(_ phase: String) {
        let now = ContinuousClock.now
        seconds.append((phase, (now - last) / .seconds(1)))
        last = now
    }

    mutating func restart() { last = ContinuousClock.now }
}
