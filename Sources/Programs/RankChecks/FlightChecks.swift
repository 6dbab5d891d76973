package import Collectives
import Configuration
import Kernels
import MatrixProducts
import Model
import Parallelism
import Tensors
import Threading

/// Two lanes in flight on a rank: what they compute is what one after the other does, and a failure ends both.
package let flightCheckList: [RankCheck] = [
    RankCheck("two lanes in flight, exact mode: the bits of one", exactFlight),
    RankCheck("two lanes in flight, default mode: the same bits twice", defaultFlight),
    RankCheck("two lanes in flight: one that fails ends the other", failingFlight),
]

/// Even and uneven numbers of lanes, on every allowed expert_parallel, in every precision, with recomputation.
private func exactFlight(on world: any Communicator, _ expectations: Expectations) throws {
    for precision in Precision.allCases where MatrixLibrary.supports(precision) {
        for lanes in [5, 8] {
            var trial = LayoutTrial(reproducible: true, precision: precision, steps: 4, choices: 2)
            trial.laneOrder = Array(0..<lanes)
            trial.recomputation = lanes == 5 ? .block : .none
            let reference = try trial.reference().trace
            for expertParallel in trial.expertParallelSizes(on: world) {
                for threads in [1, 2] {
                    let trace = try trial.run(
                        on: world, expertParallel: expertParallel, threads: threads, lanesInFlight: 2
                    ).trace
                    expectations.expectEqual(
                        trace, reference, "\(lanes) lanes, \(precision), expert_parallel \(expertParallel)")
                }
            }
        }
    }
}

/// The turns, and with them the order of sums, do not depend on time. That order is one lane's after the other unless
/// embedding and head are one tensor, which lanes then visit twice each.
private func defaultFlight(on world: any Communicator, _ expectations: Expectations) throws {
    for isTied in [false, true] {
        for lanes in [5, 8] {
            var trial = LayoutTrial(reproducible: false, steps: 6, choices: 2, tieEmbeddings: isTied)
            trial.laneOrder = Array(0..<lanes)
            for expertParallel in trial.expertParallelSizes(on: world) {
                let layout = "\(lanes) lanes, expert_parallel \(expertParallel), tied: \(isTied)"
                func trace(_ inFlight: Int) throws -> LayoutTrial.Trace {
                    try trial.run(on: world, expertParallel: expertParallel, threads: 2, lanesInFlight: inFlight).trace
                }
                let found = try trace(2)
                expectations.expectEqual(try trace(2), found, "\(layout), twice")
                if !isTied { expectations.expectEqual(try trace(1), found, "\(layout), one after the other") }
            }
        }
    }
}

/// A lane throws while the other computes, waits for its turn or exchanges.
private func failingFlight(on world: any Communicator, _ expectations: Expectations) throws {
    for failing in 0..<2 {
        for round in 0..<3 {
            let outcome = try flight(on: world) { lane, number throws(CommunicationError) in
                if lane == failing, number == round { throw CommunicationError(call: "a test", reason: "ordered") }
            }
            expectations.expectEqual(outcome, "a test failed: ordered", "lane \(failing), exchange \(round)")
        }
    }
}

/// Two lanes that exchange nothing, three times each. **Collective**.
/// - Parameter body: what lane `lane` computes before its exchange `number`
/// - Returns: what went wrong
package func flight(
    on world: any Communicator,
    _ body: @escaping @Sendable (_ lane: Int, _ number: Int) throws(CommunicationError) -> Void
) throws -> String? {
    let mesh = try Mesh(world, expertParallel: world.size), baton = Baton()
    let workers = Workers(count: 1)
    let lanes = try (0..<2).map { lane in
        try ExpertDispatcher(mesh, clock: CommunicationClock(), ExpertDispatcher.Turns(baton, lane: lane))
    }
    do throws(CommunicationError) {
        try computeLanes(rounds: 2, passing: baton, on: [workers, workers]) { (lane, _) throws(CommunicationError) in
            let exchange = ExpertExchange(expertParallelSize: world.size, localExperts: 1)
            let nothing = Operand(.float32, rows: 0, columns: 1)
            for number in 0..<3 {
                try body(lane, number)
                try lanes[lane].combine(nothing, along: exchange, into: nothing)
            }
        }
        return nil
    } catch {
        return error.description
    }
}
