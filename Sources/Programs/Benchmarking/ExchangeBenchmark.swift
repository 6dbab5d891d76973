package import Collectives
import Diagnostics
import RunFormat
import Tensors

/// What ranks can exchange, by message size: the all-to-all that carries tokens, the all-reduce that carries gradients.
package struct ExchangeBenchmark: Encodable, Sendable {
    package struct Row: Encodable, Sendable {
        package var call: String
        /// To each other rank, or of the summed array.
        package var bytes: Int
        /// Until the slowest rank is done.
        package var seconds: Sample
        /// What one rank sends to others, or the array once, over the time.
        package var bytesPerSecond: Double
    }

    package var ranks: Int
    package var rows: [Row]

    private static let rowBytes = 1024

    /// **Collective**.
    /// - Parameter largest: message, bytes
    package init(_ world: any Communicator, largest: Int, repetitions: Int) throws(CommunicationError) {
        ranks = world.size
        rows = []
        var bytes = Self.rowBytes
        while bytes <= largest {
            let seconds = try Self.allToAll(world, bytes, repetitions)
            let sent = Double(bytes * max(1, world.size - 1))
            rows.append(
                Row(call: "all-to-all", bytes: bytes, seconds: seconds, bytesPerSecond: sent / seconds.median))
            bytes *= 4
        }
        bytes = Self.rowBytes
        while bytes <= largest {
            let values = Vector<Float>(count: bytes / 4)
            let seconds = try Self.timed(world, bytes, repetitions) { () throws(CommunicationError) in
                try world.allReduceSum(values)
            }
            rows.append(
                Row(call: "all-reduce", bytes: bytes, seconds: seconds, bytesPerSecond: Double(bytes) / seconds.median))
            bytes *= 4
        }
    }

    private static func allToAll(
        _ world: any Communicator, _ bytes: Int, _ repetitions: Int
    ) throws(CommunicationError) -> Sample {
        let each = bytes / rowBytes, columns = rowBytes / 4
        let sent = Tensor(rows: each * world.size, columns: columns)
        let received = Tensor(rows: each * world.size, columns: columns)
        let counts = Vector([Int32](repeating: Int32(each), count: world.size))
        return try timed(world, bytes, repetitions) { () throws(CommunicationError) in
            try world.allToAllRows(sent, counts: counts, into: received, counts: counts)
        }
    }

    private static func timed(
        _ world: any Communicator, _ bytes: Int, _ repetitions: Int, _ call: () throws(CommunicationError) -> Void
    ) throws(CommunicationError) -> Sample {
        // As many calls on every rank: a function of the size alone.
        let calls = max(2, min(200, (32 << 20) / bytes)), clock = ContinuousClock()
        let slowest = Vector<Double>(count: 1)
        var seconds: [Double] = []
        for repetition in 0...repetitions {
            try world.barrier()
            let start = clock.now
            for _ in 0..<calls { try call() }
            slowest[0] = (clock.now - start) / .seconds(1) / Double(calls)
            try world.allReduceMaximum(slowest)
            if repetition > 0 { seconds.append(slowest[0]) }
        }
        return Sample(seconds)
    }

    package var text: String {
        var table = TextTable(["call", "bytes", "µs", "spread", "GB/s"])
        for row in rows {
            table.add([
                row.call, grouped(row.bytes), decimals(1e6 * row.seconds.median, 1), percent(row.seconds.spread),
                decimals(row.bytesPerSecond / 1e9, 2),
            ])
        }
        let alone = ranks == 1 ? ": there is nobody to exchange with; start it under mpirun" : ""
        return table.text + "\n\(ranks) rank\(ranks == 1 ? "" : "s")\(alone)"
    }
}
