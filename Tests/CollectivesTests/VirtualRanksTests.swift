import Collectives
import RankChecks
import Tensors
import Testing

/// What `rank-checks` asks of MPI's communicators under mpirun, asked of virtual ones.
@Suite(.timeLimit(.minutes(60))) struct ConformanceTests {
    @Test(arguments: communicatorCheckList.map(\.name), [1, 2, 3, 4]) func body(name: String, ranks: Int) throws {
        let check = try #require(communicatorCheckList.first { $0.name == name })
        _ = try VirtualRanks.run(ranks) { try check.run(on: $0) }
    }

    /// The parts of a split are communicators like any other, and so are the parts of parts.
    @Test func partsConform() throws {
        _ = try VirtualRanks.run(3) { world in
            let part = try world.split(color: world.rank / 2)
            try communicatorChecks(part)
            let piece = try part.split(color: 7 - part.rank)
            try communicatorChecks(piece)
        }
    }
}

@Suite(.timeLimit(.minutes(60))) struct VirtualRanksTests {
    private struct Refusal: Error, Equatable { let rank: Int }

    @Test func resultsComeInRankOrder() throws {
        for ranks in 1...5 {
            #expect(try VirtualRanks.run(ranks) { $0.rank * 10 + $0.size } == (0..<ranks).map { $0 * 10 + ranks })
        }
    }

    /// Whichever collective the others wait in, they hear of a rank that gave up, and the caller gets its error.
    @Test(arguments: 0..<7) func aThrowingRankBreaksTheGroup(collective: Int) throws {
        for failing in 0..<3 {
            let clock = ContinuousClock(), start = clock.now
            #expect(throws: Refusal(rank: failing)) {
                _ = try VirtualRanks.run(3) { world in
                    try call(collective, on: world)
                    if world.rank == failing { throw Refusal(rank: failing) }
                    do {
                        while true { try call(collective, on: world) }
                    } catch {
                        #expect(error is CommunicationError)
                        #expect("\(error)".contains("rank \(failing)"))
                        throw error
                    }
                }
            }
            #expect(clock.now - start < .seconds(10))
        }
    }

    private func call(_ collective: Int, on world: any Communicator) throws {
        let counts = Vector<Int32>(Array(repeating: 1, count: world.size)), rows = Tensor(rows: world.size, columns: 2)
        switch collective {
        case 0: try world.barrier()
        case 1: try world.allReduceSum(Vector<Int64>(count: 5))
        case 2: try world.allReduceMaximum(Vector<Float>(count: 5))
        case 3: try world.allToAll(Vector<Int32>(count: 3), into: Vector<Int32>(count: 3), block: 1)
        case 4:
            try world.allToAllRows(
                rows, counts: counts, into: Tensor(rows: world.size, columns: 2), counts: counts)
        case 5: _ = try world.allGather([1, 2])
        default: _ = try world.split(color: 0)
        }
    }

    /// A rank that gives up outside a part still frees those who wait inside theirs.
    @Test func aThrowingRankBreaksEveryPart() {
        #expect(throws: Refusal(rank: 3)) {
            _ = try VirtualRanks.run(4) { world in
                let part = try world.split(color: world.rank % 2)
                let alone = try part.split(color: part.rank)
                try alone.barrier()
                if world.rank == 3 { throw Refusal(rank: 3) }
                try part.barrier()
                try world.barrier()
            }
        }
    }

    /// Splits of splits: eight ranks halved three times, each part with its members in order, all still usable.
    @Test func splitsOfSplits() throws {
        let paths = try VirtualRanks.run(8) { world in
            var groups: [any Communicator] = [world], sums: [Int64] = []
            while let last = groups.last, last.size > 1 { groups.append(try last.split(color: last.rank % 2)) }
            for group in groups.reversed() {
                let sum = Vector<Int64>([Int64(world.rank)])
                try group.allReduceSum(sum)
                sums.append(sum[0])
            }
            return sums
        }
        for (rank, sums) in paths.enumerated() {
            // Members of the parts of size 1, 2, 4 and 8 are those equal to this rank modulo 8, 4, 2 and 1.
            let expected = [8, 4, 2, 1].map { modulus in
                (0..<8).filter { $0 % modulus == rank % modulus }.reduce(0) { $0 + Int64($1) }
            }
            #expect(sums == expected)
        }
    }

    /// Parts that are made, used and dropped leave nothing behind that could confuse the next.
    @Test func manyShortLivedParts() throws {
        _ = try VirtualRanks.run(4) { world in
            for round in 0..<300 {
                let part = try world.split(color: (world.rank + round) % 3)
                let sum = Vector<Int32>([1])
                try part.allReduceSum(sum)
                if Int(sum[0]) != part.size { throw Refusal(rank: world.rank) }
            }
        }
    }

    /// The order of a virtual sum is that of the ranks, so it gives the same bits every time.
    @Test func sumsOfFloatsRepeat() throws {
        let runs = try (0..<5).map { _ in
            try VirtualRanks.run(3) { world in
                let values = Vector<Float>((0..<1000).map { 1 / Float($0 * 3 + world.rank + 1) })
                try world.allReduceSum(values)
                return values.array
            }
        }
        for run in runs { #expect(run.allSatisfy { $0 == runs[0][0] }) }
    }
}
