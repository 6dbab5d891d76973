import TestSupport
import Collectives
import Configuration
import Data
import MPI
import Parallelism
import RankChecks
import RunFormat
import Synchronization
import Testing
import Threading
import Training

/// Two micro-batches in flight on a rank.
@Suite(.serialized, .timeLimit(.minutes(60))) struct FlightTests {
    @Test(arguments: flightCheckList.map(\.name), [1, 2, 3, 4])
    func body(name: String, ranks: Int) throws {
        let check = try #require(flightCheckList.first { $0.name == name })
        _ = try VirtualRanks.run(ranks) { try check.run(on: $0) }
    }

    /// The micro-batches compute one at a time, micro-batch 0 first, and change places at every exchange.
    @Test func turnsAlternate() throws {
        let order = Mutex<[Int]>([])
        let error = try VirtualRanks.run(1) { world in
            try flight(on: world) { microBatch, number throws(CommunicationError) in
                order.withLock { $0.append(10 * number + microBatch) }
            }
        }
        #expect(error == [nil])
        #expect(order.withLock { $0 } == [0, 1, 10, 11, 20, 21])
    }

    /// A micro-batch of one rank gives up while the rank's other micro-batch waits in a collective for ranks that wait for the
    /// first: all end.
    @Test(arguments: [0, 1], [1, 2]) func oneRanksMicroBatchEndsTheJob(failing: Int, at exchange: Int) throws {
        #expect(throws: CommunicationError.self) {
            _ = try VirtualRanks.run(3) { world in
                let error = try flight(on: world) { microBatch, number throws(CommunicationError) in
                    guard world.rank == 1, microBatch == failing, number == exchange else { return }
                    throw CommunicationError(call: "a test", reason: "ordered")
                }
                if let error { throw CommunicationError(call: "flight", reason: error) }
            }
        }
    }

    /// Time that another micro-batch's computing hides is told apart; what is left is waiting, exchanging and going on again.
    @Test func onlyIdleTimeCountsAsCommunication() throws {
        let clock = CommunicationClock(), now = ContinuousClock()
        func spend(_ duration: Duration) { let end = now.now + duration; while now.now < end {} }
        var idleSince = now.now
        clock.overlapping {
            clock.wait { spend(.milliseconds(20)) }
            clock.exchange { spend(.milliseconds(10)) }
            idleSince = now.now
            clock.exchange { spend(.milliseconds(5)) }
        } resume: {
            idleSince
        }
        let times = clock.times
        #expect(times.waiting == 0 && times.hidden >= 0.03)
        #expect(times.exchange >= 0.005)
        clock.wait { spend(.milliseconds(2)) }
        #expect(clock.times.waiting >= 0.002 && clock.times.hidden == times.hidden)
    }

    @Test func microBatchesInFlightAreOneOrTwo() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            #expect(try run.configuration().parallel.microBatchesInFlight == 1)
            #expect(try run.configuration(["parallel.micro_batches_in_flight=2"]).parallel.microBatchesInFlight == 2)
            for wrong in ["0", "3", "-1", "two"] {
                #expect(throws: (any Error).self) {
                    try run.configuration(["parallel.micro_batches_in_flight=\(wrong)"])
                }
            }
        }
    }

    /// Where no micro-batch could hide another's exchanges there is one in flight.
    @Test(arguments: [(1, "auto", 1), (2, "auto", 2), (2, "1", 1), (4, "auto", 1), (4, "2", 1)])
    func layoutsThatGainNothingHaveOne(ranks: Int, expertParallelSize: String, expected: Int) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(
                in: folder, ["model.vocabulary_size=256", "parallel.expert_parallel=\(expertParallelSize)"])
            let configuration = try run.configuration(["parallel.micro_batches_in_flight=2"]).resolved(tokenizer: 1)
            let layout = try JobLayout(configuration, ranks: ranks)
            #expect(layout.microBatchesInFlight == expected)
            let single = try JobLayout(run.configuration(), ranks: ranks)
            let two = MemoryEstimate(configuration, layout), one = MemoryEstimate(configuration, single)
            #expect(two.activations == expected * one.activations && two.exchange == expected * one.exchange)
        }
    }

    /// What a run with two micro-batches in flight recorded, one micro-batch after the other confirms.
    @Test func aRunIsReplayed() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(ranks: 2, ["parallel.micro_batches_in_flight=2"])
            let records = try run.records()
            #expect(records.count == 8 && records.allSatisfy { ($0.hiddenExchangeSeconds ?? 0) > 0 })
            let findings = try VirtualRanks.run(1) { world in
                try Replay(run: run.directory.path, step: 8, threads: 1, on: world) { _ in }.verify()
            }
            #expect(findings[0].isConfirmed, "\(findings[0])")
        }
    }
}
