import Collectives
import Configuration
import Diagnostics
import Model
import Parallelism
import Tensors
import Testing

@Suite("Reductions in the background", .timeLimit(.minutes(60))) struct OverlappedReductionTests {
    private struct Job {
        let layout: ParameterLayout
        let mesh: Mesh
        let gradients: GradientAccumulator
        let reduction: GradientReduction

        /// Gradients 1, 2, 3, … times rank + 1.
        init(_ world: any Communicator, isDistributed: Bool) throws {
            let yaml = "model: {d_model: 128, layers: 2, heads: 2, context: 8, vocabulary_size: 9000, experts: 4}"
            let document = try ConfigurationDocument(yaml: yaml, file: "overlap")
            let settings = try ModelConfiguration(reading: document.section("model")).resolved(tokenizer: 1)
            mesh = try Mesh(world, expertParallelSize: 1)
            layout = ParameterLayout(settings, mesh.expertShard)
            gradients = GradientAccumulator(layout, isExact: false, microBatches: 1)
            let partition = ArenaPartition(layout, ranks: world.size, expertParallelSize: 1)
            reduction = GradientReduction(partition, over: mesh, isDistributed: isDistributed)
            if case .floats(let values) = gradients.sums(0..<layout.count) {
                for i in 0..<values.count { values[i] = Float(i % 1000 * (world.rank + 1)) }
            }
        }
    }

    @Test("sum what was handed over, in any portions", arguments: [1, 2, 3], [false, true])
    func sums(ranks: Int, isDistributed: Bool) throws {
        _ = try VirtualRanks.run(ranks) { world in
            let job = try Job(world, isDistributed: isDistributed), clock = CommunicationClock()
            let overlapped = OverlappedReduction(job.gradients, try job.reduction.overlapping())
            var prepared: [Range<Int>] = []
            for block in [2, 1, -1] { overlapped.reduceCompleted(through: block) { prepared.append($0) } }
            #expect(prepared == job.reduction.buckets.map(\.range))
            try overlapped.finish(on: world, clock: clock)
            let partition = ArenaPartition(job.layout, ranks: ranks, expertParallelSize: 1)
            let summed = isDistributed ? partition.ownedRanges(of: world.rank) : [0..<job.layout.count]
            let factor = ranks * (ranks + 1) / 2
            for slice in summed {
                #expect(slice.allSatisfy { job.gradients.value(at: $0) == Float($0 % 1000 * factor) })
            }
            #expect(clock.times.overlappedReduction >= 0)
        }
    }

    @Test("a failure there reaches the rank that waits, and no rank hangs", arguments: [1, 2, 3]) func failure(
        ranks: Int
    ) {
        let failure = #expect(throws: CommunicationError.self) {
            _ = try VirtualRanks.run(ranks) { world in
                let job = try Job(Failing(world), isDistributed: false)
                let overlapped = OverlappedReduction(job.gradients, try job.reduction.overlapping())
                overlapped.reduceCompleted(through: -1) { _ in }
                try overlapped.finish(on: world, clock: CommunicationClock())
            }
        }
        #expect(failure?.call == "a call that fails")
    }

    @Test("a step that fails leaves its thread to end by itself") func abandoned() {
        let failure = #expect(throws: Failure.self) {
            _ = try VirtualRanks.run(2) { world in
                let job = try Job(world, isDistributed: false)
                let overlapped = OverlappedReduction(job.gradients, try job.reduction.overlapping())
                overlapped.reduceCompleted(through: 1) { _ in }
                if world.rank == 1 { throw Failure(.data, "in the middle of a step") }
                overlapped.reduceCompleted(through: -1) { _ in }
                try overlapped.finish(on: world, clock: CommunicationClock())
            }
        }
        #expect(failure?.message == "in the middle of a step")
    }
}

/// Fails in the background, on the last rank.
private struct Failing: Communicator {
    private let inner: any Communicator
    private let fails: Bool

    init(_ inner: any Communicator, fails: Bool = false) {
        self.inner = inner
        self.fails = fails
    }

    var rank: Int { inner.rank }
    var size: Int { inner.size }
    var supportsThreads: Bool { true }

    func barrier() throws(CommunicationError) { try inner.barrier() }
    func allReduceSum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError) {
        try inner.allReduceSum(values)
    }
    func allReduceMaximum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError) {
        try inner.allReduceMaximum(values)
    }
    func reduceScatter<Element: Exchangeable>(_ values: Vector<Element>, counts: [Int]) throws(CommunicationError) {
        if fails, rank == size - 1 { throw CommunicationError(call: "a call that fails", reason: "asked to") }
        try inner.reduceScatter(values, counts: counts)
    }
    func allGather<Element: Exchangeable>(_ values: Vector<Element>, counts: [Int]) throws(CommunicationError) {
        try inner.allGather(values, counts: counts)
    }
    func allToAll<Element: Exchangeable>(
        _ sent: Vector<Element>, into received: Vector<Element>, block n: Int
    ) throws(CommunicationError) {
        try inner.allToAll(sent, into: received, block: n)
    }
    func allToAllRows<Element: MatrixElement>(
        _ sent: Matrix<Element>, counts sentRows: Vector<Int32>, into received: Matrix<Element>,
        counts receivedRows: Vector<Int32>
    ) throws(CommunicationError) {
        try inner.allToAllRows(sent, counts: sentRows, into: received, counts: receivedRows)
    }
    func allGather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] { try inner.allGather(bytes) }
    func split(color: Int) throws(CommunicationError) -> any Communicator { Failing(try inner.split(color: color)) }
    func duplicate(waiting waitPolicy: any WaitPolicy) throws(CommunicationError) -> any Communicator {
        Failing(try inner.duplicate(waiting: waitPolicy), fails: true)
    }
}
