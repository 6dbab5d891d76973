import Configuration
import Model
import Parallelism
import Tensors
import Testing

/// 2.2 million replicated parameters and 4.7 million in 16 experts a layer, in matrices of odd and even sizes.
private func layout(_ share: ExpertShard, dModel: Int = 192, tied: Bool = false) throws -> ParameterLayout {
    let yaml = """
        model: {d_model: \(dModel), layers: 5, heads: 2, context: 16, vocabulary_size: 2311, experts: 16,
                tie_embeddings: \(tied)}
        """
    let document = try ConfigurationDocument(yaml: yaml, file: "partition")
    let model = try ModelConfiguration(reading: document.section("model")).resolved(tokenizer: 1)
    return ParameterLayout(model, share)
}

@Suite("Shares of the arenas") struct ArenaPartitionTests {
    private static let jobs = [(1, 1), (2, 1), (2, 2), (3, 1), (4, 2), (7, 1), (16, 4), (64, 16), (512, 8)]

    @Test("cover every element once among its holders", arguments: jobs) func cover(ranks: Int, expertParallelSize: Int)
        throws
    {
        for keepsMatricesWhole in [false, true] {
            let layout = try layout(ExpertShard(0, of: expertParallelSize))
            requireCover(
                ArenaPartition(
                    layout, ranks: ranks, expertParallelSize: expertParallelSize, keepsMatricesWhole: keepsMatricesWhole
                ), of: layout, ranks: ranks, expertParallelSize: expertParallelSize)
        }
    }

    private func requireCover(
        _ partition: ArenaPartition, of layout: ParameterLayout, ranks: Int, expertParallelSize: Int
    ) {
        var end = 0
        for bucket in partition.buckets.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            #expect(bucket.range.lowerBound == end)
            end = bucket.range.upperBound
            #expect(bucket.ownedRanges.count == (bucket.holders == .world ? ranks : ranks / expertParallelSize))
            #expect(bucket.ownedRanges.first?.lowerBound == bucket.range.lowerBound)
            #expect(
                zip(bucket.ownedRanges, bucket.ownedRanges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            #expect(bucket.ownedRanges.last?.upperBound == bucket.range.upperBound)
        }
        #expect(end == layout.count)
        let all = (0..<ranks).flatMap { partition.ownedRanges(of: $0) }.reduce(0) { $0 + $1.count }
        #expect(all == layout.replicatedCount + expertParallelSize * layout.expertRange.count)
    }

    @Test("are even to two chunks", arguments: [(2, 1), (2, 2), (3, 1), (4, 2), (7, 1)])
    func even(ranks: Int, expertParallelSize: Int) throws {
        let layout = try layout(ExpertShard(0, of: expertParallelSize))
        let partition = ArenaPartition(layout, ranks: ranks, expertParallelSize: expertParallelSize)
        let ideal = layout.replicatedCount / ranks + layout.expertRange.count * expertParallelSize / ranks
        for rank in 0..<ranks {
            let share = partition.ownedRanges(of: rank).reduce(0) { $0 + $1.count }
            #expect(abs(share - ideal) <= 2 * ChunkPlan.extent, "rank \(rank)")
        }
    }

    @Test("keep chunks whole, each with one owner", arguments: jobs) func chunks(ranks: Int, expertParallelSize: Int)
        throws
    {
        for dModel in [192, 36] {
            var owners: [Int: Int] = [:], total = 0
            for rank in 0..<ranks {
                let layout = try layout(ExpertShard(rank % expertParallelSize, of: expertParallelSize), dModel: dModel)
                let ownedRanges = ArenaPartition(layout, ranks: ranks, expertParallelSize: expertParallelSize)
                    .ownedRanges(of: rank)
                let plan = ChunkPlan(layout, owning: ownedRanges)
                total = plan.total
                for chunk in plan.owned.map({ plan.local[$0] }) {
                    owners[chunk.number, default: 0] += 1
                    #expect(
                        ownedRanges.contains {
                            $0.lowerBound <= chunk.range.lowerBound && chunk.range.upperBound <= $0.upperBound
                        })
                }
                #expect(plan.owned.count + plan.foreign.count == plan.local.count)
            }
            #expect(owners.count == total && owners.values.allSatisfy { $0 == 1 })
        }
    }

    @Test("keep matrices whole where an optimizer wants them, even to a matrix with those beside it", arguments: jobs)
    func matrices(ranks: Int, expertParallelSize: Int) throws {
        for dModel in [192, 36] {
            let layout = try layout(ExpertShard(0, of: expertParallelSize), dModel: dModel)
            let partition = ArenaPartition(
                layout, ranks: ranks, expertParallelSize: expertParallelSize, keepsMatricesWhole: true)
            let hidden = layout.entries.filter { !$0.hiddenWidths.isEmpty }
            let weights = hidden.flatMap(\.wholeMatrices)
            for cut in partition.buckets.flatMap(\.ownedRanges).map(\.lowerBound) {
                #expect(!weights.contains { $0.contains(cut) && $0.lowerBound != cut }, "a cut at \(cut)")
            }
            let ideal = layout.replicatedCount / ranks + layout.expertRange.count * expertParallelSize / ranks
            let largest = weights.map(\.count).max() ?? 0
            for rank in 0..<ranks {
                let owned = partition.ownedRanges(of: rank).reduce(0) { $0 + $1.count }
                #expect(owned <= ideal + 2 * max(largest, ChunkPlan.extent), "rank \(rank)")
            }
        }
    }

    @Test("buckets come in the order of a backward pass, with none that is small but the last of its kind")
    func order() throws {
        for tied in [false, true] {
            let layout = try layout(.all, tied: tied)
            let buckets = ArenaPartition(layout, ranks: 2, expertParallelSize: 1).buckets
            #expect(buckets.map(\.block) == buckets.map(\.block).sorted(by: >))
            #expect(buckets.count { $0.holders == .replicas } == 5)
            for bucket in buckets.dropLast() where bucket.holders == .replicas {
                #expect(bucket.range.count >= 1 << 20)
            }
            for bucket in buckets {
                let inside = layout.entries.filter { bucket.range.contains($0.offset) }
                #expect(inside.allSatisfy { ($0.block ?? ($0.name == "embedding" ? -1 : .max)) >= bucket.block })
            }
        }
    }
}

@Suite("Moments") struct MomentTests {
    @Test("take memory for their stretches only") func memory() throws {
        let moment = Moment(over: [16..<32, 48..<50])
        moment[48..<50][1] = 3
        moment[20..<24][0] = 5
        #expect(moment[16..<32].array == [0, 0, 0, 0, 5] + [Float](repeating: 0, count: 11))
        #expect(moment[49..<50].array == [3])
        #expect(moment.count == 18)
        #expect(moment.ranges(in: [0..<20, 30..<49]) == [16..<20, 30..<32, 48..<49])
    }
}
