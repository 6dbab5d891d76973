package import Collectives
import Configuration
import Kernels
import MatrixProducts
import Model
import Parallelism
import Tensors
import Threading

/// Two micro-batches in flight on a rank: what they compute is what one after the other does, and a failure ends both.
package let flightCheckList: [RankCheck] = [
    RankCheck("two micro-batches in flight, exact mode: the bits of one", exactFlight),
    RankCheck("two micro-batches in flight, default mode: the same bits twice", defaultFlight),
    RankCheck("two micro-batches in flight: one that fails ends the other", failingFlight),
]

/// Even and uneven numbers of micro-batches, on every allowed expert_parallel, in every precision, with recomputation.
private func exactFlight(on world: any Communicator, _ expectations: Expectations) throws {
    for precision in Precision.allCases where ProductLibrary.supports(precision) {
        for microBatches in [5, 8] {
            var trial = LayoutTrial(reproducible: true, precision: precision, steps: 4, expertsPerToken: 2)
            trial.microBatchOrder = Array(0..<microBatches)
            trial.recomputation = microBatches == 5 ? .block : .none
            let reference = try trial.reference().trace
            for expertParallelSize in trial.expertParallelSizes(on: world) {
                for threads in [1, 2] {
                    let trace = try trial.run(
                        on: world, expertParallelSize: expertParallelSize, threads: threads, microBatchesInFlight: 2
                    ).trace
                    expectations.expectEqual(
                        trace, reference,
                        "\(microBatches) micro-batches, \(precision), expert_parallel \(expertParallelSize)")
                }
            }
        }
    }
}

/// The turns, and with them the order of sums, do not depend on time. That order is one micro-batch's after the other unless
/// embedding and head are one tensor, which micro-batches then visit twice each.
private func defaultFlight(on world: any Communicator, _ expectations: Expectations) throws {
    for isTied in [false, true] {
        for microBatches in [5, 8] {
            var trial = LayoutTrial(reproducible: false, steps: 6, expertsPerToken: 2, tieEmbeddings: isTied)
            trial.microBatchOrder = Array(0..<microBatches)
            for expertParallelSize in trial.expertParallelSizes(on: world) {
                let layout = "\(microBatches) micro-batches, expert_parallel \(expertParallelSize), tied: \(isTied)"
                func trace(_ inFlight: Int) throws -> LayoutTrial.Trace {
                    try trial.run(
                        on: world, expertParallelSize: expertParallelSize, threads: 2, microBatchesInFlight: inFlight
                    ).trace
                }
                let found = try trace(2)
                expectations.expectEqual(try trace(2), found, "\(layout), twice")
                if !isTied { expectations.expectEqual(try trace(1), found, "\(layout), one after the other") }
            }
        }
    }
}

/// A micro-batch throws while the other computes, waits for its turn or exchanges.
private func failingFlight(on world: any Communicator, _ expectations: Expectations) throws {
    for failing in 0..<2 {
        for round in 0..<3 {
            let outcome = try flight(on: world) { microBatch, number throws(CommunicationError) in
                if microBatch == failing, number == round {
                    throw CommunicationError(call: "a test", reason: "ordered")
                }
            }
            expectations.expectEqual(outcome, "a test failed: ordered", "micro-batch \(failing), exchange \(round)")
        }
    }
}

/// Two micro-batches that exchange nothing, three times each. **Collective**.
/// - Parameter body: what micro-batch `microBatch` computes before its exchange `number`
/// - Returns: what went wrong
package func flight(
    on world: any Communicator,
    _ body: @escaping @Sendable (_ microBatch: Int, _ number: Int) throws(CommunicationError) -> Void
) throws -> String? {
    let mesh = try Mesh(world, expertParallelSize: world.size), turnLock = TurnLock()
    let workers = ThreadPool(count: 1)
    let microBatches = try (0..<2).map { microBatch in
        try FlatTokenDispatcher(
            mesh, clock: CommunicationClock(), FlatTokenDispatcher.Overlap(turnLock, microBatch: microBatch))
    }
    do throws(CommunicationError) {
        try computeMicroBatches(accumulationSteps: 2, passing: turnLock, on: [workers, workers]) {
            (microBatch, _) throws(CommunicationError) in
            let exchange = ExpertExchange(expertParallelSize: world.size, localExperts: 1)
            let nothing = Operand(.float32, rows: 0, columns: 1)
            for number in 0..<3 {
                try body(microBatch, number)
                try microBatches[microBatch].combine(nothing, along: exchange, into: nothing)
            }
        }
        return nil
    } catch {
        return error.description
    }
}
