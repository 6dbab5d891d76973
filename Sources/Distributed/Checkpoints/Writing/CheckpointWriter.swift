package import Collectives
package import Diagnostics
import Platform
package import Tensors

/// Writes checkpoints of a run, each whole or not at all.
///
/// A checkpoint is staged under a hidden name, every file is on the disk and listed in a manifest with its SHA-256, and
/// only then one `rename` makes it visible.
package struct CheckpointWriter: Sendable {
    private let directory: String
    private let ranks: any Communicator
    private let group: any Communicator
    private let fileOfRank: [Int]
    private let access: ShardFileAccess
    private let faults: FaultPoints
    private let owns: @Sendable () throws(Failure) -> Void
    /// Tells this process' staging directories from those of one that has not noticed yet that its job is over.
    private let token: String

    /// Prepares to write and removes what an earlier process left half-done. Collective; once per run, because it makes
    /// communicators that live as long as MPI. The caller owns the run directory.
    /// - Parameters:
    ///   - directory: the folder that checkpoints go to; made if missing
    ///   - shards: how many files, 1 (written by all ranks) to one per rank; nil: one per rank, which is the fastest
    ///   - owns: throws if the folder is not this job's any more; asked on rank 0 before something is made or published
    package init(
        directory: String, ranks: any Communicator, shards: Int?, access: ShardFileAccess? = nil,
        faults: FaultPoints = FaultPoints(), owns: @escaping @Sendable () throws(Failure) -> Void = {}
    ) throws(Failure) {
        let files = min(max(1, shards ?? ranks.size), ranks.size)
        fileOfRank = (0..<ranks.size).map { $0 * files / ranks.size }
        self.directory = directory
        self.ranks = ranks
        self.access = access ?? ShardFileAccess.suiting(ranks)
        self.faults = faults
        self.owns = owns
        do {
            group = try ranks.split(color: fileOfRank[ranks.rank])
        } catch {
            throw Failure(communication: error)
        }
        let agreement = Agreement(ranks: ranks)
        let tokens = try agreement.allGather(Array(hexadecimal(UInt64.random(in: 0...UInt64.max)).utf8))
        token = String(decoding: tokens[0], as: UTF8.self)
        try agreement.onAllRanks { () throws(Failure) in
            if ranks.rank == 0 { try Self.clean(directory) }
        }
    }

    /// Makes the folder and removes leftovers.
    private static func clean(_ directory: String) throws(Failure) {
        try Files.makeDirectory(directory)
        for name in Files.names(in: directory) ?? [] where CheckpointNames.isLeftover(name) {
            try removeTree("\(directory)/\(name)")
        }
    }

    /// Writes what all ranks own. Collective; every rank gives the same record.
    ///
    /// - Returns: what was written; `isNew` is false if the same state was there already
    /// - Throws: the same failure on every rank. Unless its status is `communication`, nothing of the attempt remains,
    ///   older checkpoints are as they were, and training can go on
    @discardableResult
    package func write(_ record: CheckpointRecord, _ shards: [TensorShard]) throws(Failure) -> CheckpointOutcome {
        try begin(record, shards, overlapping: false).finish()
    }

    /// The first half of `write`: agrees on what goes where and makes room. Collective.
    ///
    /// With `overlapping` a thread of its own writes this rank's file while the caller goes on; the numbers must stay as
    /// they are until `finish` has returned, so the caller hands over copies. Files that several ranks share are
    /// written by `finish`, because only the thread that started MPI may communicate.
    package func begin(
        _ record: CheckpointRecord, _ shards: [TensorShard], overlapping: Bool
    ) throws(Failure) -> PendingCheckpoint {
        var clock = PhaseClock()
        let agreement = Agreement(ranks: ranks)
        let layout = try plan(shards, agreement)
        let tensors = try withDigests(layout.tensors, of: shards)
        clock.mark("digest")
        let name = CheckpointNames.directory(step: record.step), target = "\(directory)/\(name)"
        let staging = "\(directory)/\(CheckpointNames.staging(step: record.step, token: token))"
        let isThere = try isThere(target, tensors, agreement)
        let count = (fileOfRank.last ?? 0) + 1
        let files = (0..<count).map { CheckpointNames.shard(run: record.run, step: record.step, file: $0, of: count) }
        let own = shardFile(staging, files, tensors)
        let pending = PendingCheckpoint(
            target: target, staging: staging, record: record, tensors: tensors, files: files, own: own,
            mine: contributions(shards, layout, tensors), isThere: isThere, ranks: ranks, faults: faults, owns: owns,
            clock: clock)
        if !isThere { try pending.start(overlapping: overlapping) }
        return pending
    }

    /// Who owns what, as all ranks see it.
    private func plan(_ shards: [TensorShard], _ agreement: Agreement) throws(Failure) -> CheckpointLayout {
        let parts = shards.map {
            CheckpointLayout.Part(name: $0.name, globalShape: $0.globalShape, rectangle: $0.rectangle)
        }
        let all = try agreement.allGather(Array(parts.map(\.line).joined(separator: "\n").utf8))
        var owned: [[CheckpointLayout.Part]] = []
        for (rank, bytes) in all.enumerated() {
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            let parts = lines.compactMap { CheckpointLayout.Part(line: $0) }
            guard parts.count == lines.count else {
                throw Failure(.software, "rank \(rank) names a tensor that cannot be in a checkpoint")
            }
            owned.append(parts)
        }
        return try CheckpointLayout(owned: owned, fileOfRank: fileOfRank)
    }

    /// `TensorDigest` of every tensor from the parts that the ranks own.
    private func withDigests(_ tensors: [StoredTensor], of shards: [TensorShard]) throws(Failure) -> [StoredTensor] {
        let sums = Vector<UInt64>(count: tensors.count)
        let place = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
        for shard in shards {
            if let index = place[shard.name] { sums[index] &+= shard.digest }
        }
        do {
            try ranks.allReduceSum(sums)
        } catch {
            throw Failure(communication: error)
        }
        var tensors = tensors
        for index in tensors.indices { tensors[index].digest = sums[index] }
        return tensors
    }

    /// Whether the very same tensors are published already. Rank 0 looks, all hear.
    private func isThere(_ target: String, _ tensors: [StoredTensor], _ agreement: Agreement) throws(Failure) -> Bool {
        var answer: [UInt8] = []
        if ranks.rank == 0, Files.exists(target), let found = try? Verification(target) {
            let isSame =
                found.manifest.tensors.map { [$0.name, hexadecimal($0.digest)] }
                == tensors.map { [$0.name, hexadecimal($0.digest)] }
            answer = isSame && found.findings().isEmpty && found.surplus().isEmpty ? [1] : []
        }
        return try !agreement.broadcast(answer).isEmpty
    }

    private func shardFile(_ staging: String, _ files: [String], _ tensors: [StoredTensor]) -> ShardFile {
        let file = fileOfRank[ranks.rank]
        let pieces = tensors.flatMap { tensor in
            tensor.pieces.filter { $0.file == file }.map { (tensor: tensor, piece: $0) }
        }
        return ShardFile(group: group, access: access, path: "\(staging)/\(files[file])", pieces: pieces)
    }

    private func contributions(
        _ shards: [TensorShard], _ layout: CheckpointLayout, _ tensors: [StoredTensor]
    ) -> [ShardFile.Contribution] {
        shards.compactMap { shard in
            guard shard.values.count > 0 else { return nil }
            let part = CheckpointLayout.Part(
                name: shard.name, globalShape: shard.globalShape, rectangle: shard.rectangle)
            return layout.place(of: part, in: fileOfRank[ranks.rank]).map { tensor, piece in
                (shard, tensors[tensor].pieces[piece])
            }
        }
    }
}
