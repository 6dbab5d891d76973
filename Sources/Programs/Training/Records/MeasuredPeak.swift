import Collectives
import Kernels
import Parallelism

/// The GEMM peak of all ranks together, the denominator of MFU. One on every rank.
///
/// Other work on the machine while it is measured makes it too low, and MFU too high. A step that is faster than the peak shows
/// it for certain: it is measured again then.
final class MeasuredPeak {
    private let engine: Engine
    private let world: any Communicator
    private let rounds: Int
    private let clock = ContinuousClock()
    private var measured: ContinuousClock.Instant?
    /// FLOP/s
    private(set) var flops = 0.0

    /// A measurement takes as long as several steps of a tiny model.
    private static let shortestPause = Duration.seconds(10)

    init(_ engine: Engine, rounds: Int, on world: any Communicator) {
        self.engine = engine
        self.rounds = rounds
        self.world = world
    }

    /// All ranks at the same time, because they share machines. **Collective**.
    func measure() throws(CommunicationError) {
        flops = try rate()
    }

    /// Keeps the higher of the two. **Collective**.
    func measureAgain() throws(CommunicationError) {
        flops = max(flops, try rate())
    }

    /// Whether a step of this MFU is a reason to measure again. The answer of one rank; all must act alike.
    func isDoubted(by mfu: Double) -> Bool {
        guard mfu > 1, let measured else { return false }
        return clock.now - measured > Self.shortestPause
    }

    private func rate() throws(CommunicationError) -> Double {
        try world.barrier()
        let rate = try world.sum(of: measureGemmPeak(engine.precision, on: engine.workers, repetitions: rounds))
        measured = clock.now
        return rate
    }
}
