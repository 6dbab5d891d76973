package import Collectives
import Diagnostics
import HDF5
import Platform
import Tensors

/// How the ranks that share a shard file come to write it.
package enum ShardFileAccess: Sendable {
    /// All at once, through MPI-IO.
    case shared
    /// One after the other, each through the serial driver.
    case inTurn

    /// What a communicator is capable of.
    package static func suiting(_ ranks: any Communicator) -> ShardFileAccess {
        HDF5File.canBeShared(by: ranks) ? .shared : .inTurn
    }
}

/// One shard file in the making. Methods are collective over its group.
struct ShardFile: Sendable {
    /// The ranks that write this file, of which rank 0 leads; nil for this process alone.
    let group: (any Communicator)?
    let access: ShardFileAccess
    let path: String
    /// The datasets of this file, the same on all ranks of the group.
    let pieces: [(tensor: StoredTensor, piece: StoredShard)]

    /// What this rank writes: numbers and the piece they belong to.
    typealias Contribution = (shard: TensorShard, piece: StoredShard)

    /// Elements of one write: HDF5 hands MPI-IO byte counts of 31 bits.
    private static let largestWrite = 1 << 28

    /// Writes the file, waits for the disk, and hashes it as it lies there. The report is the leader's.
    func complete(_ mine: [Contribution], atFault: () throws(Failure) -> Void) throws(Failure) -> ShardWork {
        var clock = PhaseClock()
        try write(mine, atFault: atFault)
        clock.mark("write")
        if isLeader { try Files.sync(path) }
        clock.mark("sync")
        let report = isLeader ? try ShardReport(of: self) : nil
        clock.mark("hash")
        return ShardWork(report: report, seconds: clock.seconds)
    }

    private func write(_ mine: [Contribution], atFault: () throws(Failure) -> Void) throws(Failure) {
        guard let group, group.size > 1 else {
            return try writeAlone(isFirst: true, mine, atFault)
        }
        switch access {
        case .shared: try writeTogether(group, mine, atFault)
        case .inTurn: try writeInTurn(group, mine, atFault)
        }
    }

    private var isLeader: Bool { group?.rank ?? 0 == 0 }

    /// Elements that `stream` asks for at a time, if a row of a tensor has no more.
    private static let streamed = 1 << 22

    /// Writes the file alone, one dataset after the other, and reports on it. Not collective.
    /// - Parameter numbers: of a part of a tensor: some of its rows, all of each
    func stream(
        _ numbers: (StoredTensor, Rectangle) throws(Failure) -> Vector<Float>
    ) throws(Failure) -> ShardReport {
        try handlingHDF5 { () throws(HDF5Error) in try HDF5File.create(path) }.writing { file throws(Failure) in
            let datasets = try createDatasets(in: file)
            for (tensor, piece) in pieces {
                for part in piece.rectangle.ownedRanges(ofAtMost: Self.streamed) {
                    let shard = TensorShard(
                        name: tensor.name, globalShape: tensor.shape, offset: part.offset, shape: part.shape,
                        values: try numbers(tensor, part))
                    try write([(shard, piece)], to: datasets)
                }
            }
            try close(datasets)
        }
        try Files.sync(path)
        return try ShardReport(of: self)
    }

    private func writeTogether(
        _ group: any Communicator, _ mine: [Contribution], _ atFault: () throws(Failure) -> Void
    ) throws(Failure) {
        let agreement = Agreement(ranks: group)
        let file = try agreement.onAllRanks { () throws(Failure) in
            try handlingHDF5 { () throws(HDF5Error) in try HDF5File.create(path, sharedBy: group) }
        }
        do throws(Failure) {
            let datasets = try agreement.onAllRanks { () throws(Failure) in try createDatasets(in: file) }
            // The metadata takes its place on the disk while there is some: see `HDF5File.abandon`.
            try agreement.onAllRanks { () throws(Failure) in try handlingHDF5(file.flush) }
            try agreement.onAllRanks { () throws(Failure) in
                try write(mine, to: datasets)
                try atFault()
            }
            try agreement.onAllRanks { () throws(Failure) in
                try close(datasets)
                try handlingHDF5(file.flush)
            }
        } catch {
            // Gives its space back though nobody closes it.
            if isLeader { Files.empty(path) }
            file.abandon()
            throw error
        }
        try agreement.onAllRanks { () throws(Failure) in try handlingHDF5(file.close) }
    }

    private func writeInTurn(
        _ group: any Communicator, _ mine: [Contribution], _ atFault: () throws(Failure) -> Void
    ) throws(Failure) {
        for turn in 0..<group.size {
            try Agreement(ranks: group).onAllRanks { () throws(Failure) in
                if group.rank == turn { try writeAlone(isFirst: turn == 0, mine, atFault) }
            }
        }
    }

    private func writeAlone(
        isFirst: Bool, _ mine: [Contribution], _ atFault: () throws(Failure) -> Void
    ) throws(Failure) {
        let file = try handlingHDF5 { () throws(HDF5Error) in
            isFirst ? try HDF5File.create(path) : try HDF5File.open(path, writable: true)
        }
        try file.writing { file throws(Failure) in
            let datasets = isFirst ? try createDatasets(in: file) : try openDatasets(of: mine, in: file)
            try write(mine, to: datasets)
            try atFault()
            try close(datasets)
        }
    }

    private func createDatasets(in file: HDF5File) throws(Failure) -> [String: HDF5Dataset] {
        try handlingHDF5 { () throws(HDF5Error) in
            let root = try file.root()
            var datasets: [String: HDF5Dataset] = [:]
            for (tensor, piece) in pieces {
                let dataset = try root.createDataset(piece.dataset, of: .float32, shape: piece.rectangle.shape)
                try dataset.setAttribute("global_shape", tensor.shape.map(Int64.init))
                try dataset.setAttribute("offset", piece.rectangle.offset.map(Int64.init))
                datasets[piece.dataset] = dataset
            }
            try root.close()
            return datasets
        }
    }

    private func openDatasets(of mine: [Contribution], in file: HDF5File) throws(Failure) -> [String: HDF5Dataset] {
        try handlingHDF5 { () throws(HDF5Error) in
            let root = try file.root()
            var datasets: [String: HDF5Dataset] = [:]
            for name in Set(mine.map(\.piece.dataset)) { datasets[name] = try root.dataset(name) }
            try root.close()
            return datasets
        }
    }

    private func close(_ datasets: [String: HDF5Dataset]) throws(Failure) {
        try handlingHDF5 { () throws(HDF5Error) in
            for dataset in datasets.values { try dataset.close() }
        }
    }

    private func write(_ mine: [Contribution], to datasets: [String: HDF5Dataset]) throws(Failure) {
        for (shard, piece) in mine {
            guard let dataset = datasets[piece.dataset] else {
                throw Failure(.software, "\(path) has no dataset \(piece.dataset)")
            }
            var start = 0
            for part in shard.rectangle.relative(to: piece.rectangle).ownedRanges(ofAtMost: Self.largestWrite) {
                let values = shard.values[start..<start + part.count]
                try handlingHDF5 { () throws(HDF5Error) in
                    try dataset.write(values, offset: part.offset, shape: part.shape)
                }
                start += part.count
            }
        }
    }

    /// Where each dataset's numbers begin, in bytes. By one rank, when the file is complete.
    func byteOffsets() throws(Failure) -> [Int] {
        try handlingHDF5 { () throws(HDF5Error) in
            let file = try HDF5File.open(path), root = try file.root()
            var offsets: [Int] = []
            for (_, piece) in pieces {
                let dataset = try root.dataset(piece.dataset)
                offsets.append(try dataset.byteOffset())
                try dataset.close()
            }
            try root.close()
            try file.close()
            return offsets
        }
    }
}
