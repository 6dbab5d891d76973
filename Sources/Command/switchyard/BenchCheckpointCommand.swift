import ArgumentParser
import Checkpoints
import Collectives
import Diagnostics
import Foundation
import HDF5
import MPI
import Platform
import Tensors

/// `switchyard bench checkpoint`: what a save costs, beside plain files of the same bytes by the same ranks.
struct BenchCheckpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Measures saving and loading of a state of a given size; run it under mpirun for several ranks.",
        discussion: """
            Pairs of saves: plain files, one per rank, written and synced; then a checkpoint. The ratio is the median \
            over pairs of (plain seconds) / (seconds that the checkpoint spends writing and syncing its shards). `stall` is \
            how long training would stand still for a save whose writing overlaps it. `cold_read` asks the system to forget \
            the files' pages first, which not every file system does.
            """)

    @Option(help: "Size of the state in MB (2^20 bytes).") var megabytes = 1024
    @Option(help: "Files of the checkpoint; as many as ranks if not given.") var shards: Int?
    @Option(help: "How often to measure.") var pairs = 7
    @Option(help: "Where to write; what is written is removed again.", transform: path) var directory = "."
    @Flag(help: "Print the figures as one JSON object on the last line.") var json = false

    func validate() throws {
        try require(megabytes, in: 1...1 << 24, "--megabytes")
        try require(pairs, in: 1...100_000, "--pairs")
        if let shards { try require(shards, in: 1...1 << 20, "--shards") }
    }

    func run() throws {
        try reportingFailures {
            try HDF5File.prepareLibrary()
            try MPIWorld.run { world in
                try measure(world)
            } onError: { error, world in
                let failure = asFailure(error)
                printError("rank \(world.rank): \(failure)")
                return failure.status.rawValue
            }
        }
    }

    private func measure(_ world: any Communicator) throws {
        let agreement = Agreement(ranks: world)
        let own = try agreement.onRankZero { () throws(Failure) in
            try makeUniqueDirectory(in: directory, prefix: "bench-checkpoint-")
        }
        let folder = try agreement.broadcast(own ?? "")
        let state = state(of: world.rank, of: world.size)
        let record = CheckpointRecord(run: "bench", step: 1, configuration: "# bench\n")
        let writer = try CheckpointWriter(
            directory: folder, ranks: world, shards: shards, faults: FaultPoints.fromEnvironment())
        let staging = StagingBuffers(for: state)
        var figures = Figures()
        for _ in 0..<pairs {
            let plain = try timed(world) { try writePlain(state, to: "\(folder)/plain-\(world.rank)") }
            try removeTree("\(folder)/plain-\(world.rank)")
            try world.barrier()
            var outcome: CheckpointOutcome?
            let total = try timed(world) { outcome = try writer.write(record, state) }
            var phases: [String: Double] = [:]
            for (phase, seconds) in outcome?.seconds ?? [] { phases[phase] = try slowest(seconds, world) }
            let durable = (outcome?.seconds ?? []).filter { ["write", "sync"].contains($0.phase) }.reduce(0) {
                $0 + $1.seconds
            }
            phases["write + sync"] = try slowest(durable, world)
            let read = try timed(world) { try readBack(outcome?.directory ?? "", state, world) }
            try dropPages(of: outcome?.directory ?? "", world)
            phases["cold_read"] = try timed(world) { try readBack(outcome?.directory ?? "", state, world) }
            if world.rank == 0, let outcome { try removeTree(outcome.directory) }
            let stall = try stallOfBackgroundSave(writer, record, state, through: staging, on: world)
            figures.add(plain: plain, total: total, phases: phases, read: read, stall: stall)
        }
        guard world.rank == 0 else { return }
        try removeTree(folder)
        try StandardOutput.write(
            json ? figures.json(bytes: megabytes << 20, ranks: world.size) : figures.table(bytes: megabytes << 20))
    }

    /// The files are on the disk; from now on they are nowhere else.
    private func dropPages(of directory: String, _ world: any Communicator) throws {
        guard world.rank == 0 else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let file = try FileHandle(forReadingFrom: URL(filePath: "\(directory)/\(name)"))
            posix_fadvise(file.fileDescriptor, 0, 0, POSIX_FADV_DONTNEED)
            try file.close()
        }
    }

    /// Seconds that training would stand still for a save in the background: copying the state, the beginning, the end.
    private func stallOfBackgroundSave(
        _ writer: CheckpointWriter, _ record: CheckpointRecord, _ state: [TensorShard], through staging: StagingBuffers,
        on world: any Communicator
    ) throws -> Double {
        var pending: PendingCheckpoint?
        let beginning = try timed(world) {
            pending = try writer.begin(record, staging.copy(state), overlapping: true)
        }
        while let pending, !pending.isReady { Thread.sleep(forTimeInterval: 0.001) }
        var directory = ""
        let end = try timed(world) { directory = try pending?.finish().directory ?? "" }
        if world.rank == 0 { try removeTree(directory) }
        try world.barrier()
        return beginning + end
    }

    /// Sixteen tensors, cut among the ranks along their rows.
    private func state(of rank: Int, of ranks: Int) -> [TensorShard] {
        let columns = 1024, rows = max(ranks, (megabytes << 20) / 4 / 16 / columns)
        return (0..<16).map { number in
            let first = rows * rank / ranks, count = rows * (rank + 1) / ranks - first
            let values = Vector<Float>(count: count * columns)
            for i in 0..<values.count { values[i] = Float(i &* 7919 % 1_000_003) * Float(number + 1) }
            return TensorShard(
                name: "parameters/blocks.\(number)", globalShape: [rows, columns], offset: [first, 0],
                shape: [count, columns], values: values)
        }
    }

    private func writePlain(_ state: [TensorShard], to path: String) throws {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        for shard in state {
            let bytes = unsafe UnsafeMutableRawPointer(shard.values.pointer)
            try unsafe file.write(
                contentsOf: Data(bytesNoCopy: bytes, count: shard.values.count * 4, deallocator: .none))
        }
        try file.synchronize()
        try file.close()
    }

    private func readBack(_ directory: String, _ state: [TensorShard], _ world: any Communicator) throws {
        let reader = try CheckpointReader(directory, sharedBy: world)
        for shard in state {
            let values = try reader.read(shard.name, offset: shard.offset, shape: shard.shape)
            guard values.span[values.count - 1] == shard.values.span[values.count - 1] else {
                throw Failure(.software, "\(shard.name) came back changed")
            }
        }
        try reader.close()
    }

    /// Seconds until all ranks are done.
    private func timed(_ world: any Communicator, _ body: () throws -> Void) throws -> Double {
        try world.barrier()
        let start = ContinuousClock.now
        try body()
        try world.barrier()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func slowest(_ seconds: Double, _ world: any Communicator) throws -> Double {
        let value = Vector<Double>([seconds])
        try world.allReduceMaximum(value)
        return value[0]
    }
}

/// Seconds of every pair.
private struct Figures {
    private var columns: [(name: String, seconds: [Double])] = [
        "plain", "save", "digest", "write", "sync", "hash", "publish", "read", "cold_read", "stall",
    ]
    .map { ($0, []) }
    private var ratios: [Double] = []

    mutating func add(plain: Double, total: Double, phases: [String: Double], read: Double, stall: Double) {
        let all = phases.merging(["plain": plain, "save": total, "read": read, "stall": stall]) { $1 }
        for i in columns.indices { columns[i].seconds.append(all[columns[i].name] ?? 0) }
        ratios.append(plain / (phases["write + sync"] ?? .infinity))
    }

    func table(bytes: Int) -> String {
        var lines = columns.map { name, seconds in
            let rate = Double(bytes) / 1e9 / median(seconds)
            return String(
                format: "%@ %6.3f s (%.3f–%.3f), %5.2f GB/s", name.padding(toLength: 9, withPad: " ", startingAt: 0),
                median(seconds), seconds.min() ?? 0, seconds.max() ?? 0, rate)
        }
        lines.append(
            String(
                format: "write + sync reach %.2f (%.2f–%.2f) of plain files' rate", median(ratios), ratios.min() ?? 0,
                ratios.max() ?? 0))
        return lines.joined(separator: "\n")
    }

    func json(bytes: Int, ranks: Int) -> String {
        let seconds = columns.map { #""\#($0.name)_seconds": \#(median($0.seconds))"# }.joined(separator: ", ")
        return
            #"{"benchmark": "checkpoint", "bytes": \#(bytes), "ranks": \#(ranks), "ratio": \#(median(ratios)), \#(seconds)}"#
    }

    private func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}
