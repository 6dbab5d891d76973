package import Collectives
package import Diagnostics
import Platform
import Tensors

/// What the ranks agree on while they run: whether a request to save or to stop has come, whether a save in the background is
/// done, and how much memory is used. A rank never saves or stops alone.
package final class RunControl {
    package struct Decision {
        package var shouldSave: Bool
        package var shouldStop: Bool
        /// Whether some rank finds that the GEMM peak must be measured again.
        package var shouldMeasurePeak: Bool
        /// Whether no rank writes in the background.
        package var allWritesFinished: Bool
        /// Of the rank that has used most.
        package var peakMemory: Int
    }

    private let world: any Communicator
    private let deadline: ShutdownWatchdog?
    /// Requests that this rank has received and that the ranks have not answered yet.
    private var heard: SignalRequests = []
    /// `[save, stop, writes, peak memory, doubts]`
    private let votes = Vector<Double>(count: 5)

    /// The program watches for signals from its start on (`SignalRequests`).
    /// - Parameters:
    ///   - abort: ends this process when it was asked to stop and the other ranks do not answer. It is called by another
    ///     thread
    ///   - allowance: how long the other ranks may take for that, besides three times the longest time they needed so far
    package init(
        _ world: any Communicator, abort: (@Sendable (Failure) -> Void)? = nil, allowance: Duration = .seconds(15)
    ) {
        self.world = world
        deadline =
            world.size > 1 ? abort.map { ShutdownWatchdog(rank: world.rank, allowance: allowance, abort: $0) } : nil
    }

    /// Asks between two steps; the caller does what is answered. **Collective**.
    /// - Parameters:
    ///   - isOverdue: whether this rank finds that it is time to save
    ///   - isWriting: whether this rank writes in the background
    ///   - doubtsPeak: whether this rank finds that the GEMM peak cannot be right
    package func agree(
        isOverdue: Bool, isWriting: Bool, doubtsPeak: Bool = false
    ) throws(CommunicationError) -> Decision {
        let answer = try vote(isOverdue: isOverdue, isWriting: isWriting, doubtsPeak: doubtsPeak)
        heard = []
        return answer
    }

    /// Asks during longer work, which then ends early; the request stays for `agree`. **Collective**.
    package func shouldStop() throws(CommunicationError) -> Bool {
        try vote(isOverdue: false, isWriting: false).shouldStop
    }

    /// Runs `body` without the time limit that a request sets, because a save may take longer.
    package func withoutDeadline(_ body: () throws(Failure) -> Void) throws(Failure) {
        deadline?.suspend()
        defer { deadline?.resume() }
        try body()
    }

    private func vote(
        isOverdue: Bool, isWriting: Bool, doubtsPeak: Bool = false
    ) throws(CommunicationError) -> Decision {
        heard.formUnion(SignalRequests.take())
        let stops = heard.contains(.stop)
        deadline?.comes(asked: stops)
        votes[0] = !heard.isEmpty || isOverdue ? 1 : 0
        votes[1] = stops ? 1 : 0
        votes[2] = isWriting ? 1 : 0
        votes[3] = Double(ProcessMemory.peak)
        votes[4] = doubtsPeak ? 1 : 0
        try world.allReduceMaximum(votes)
        deadline?.hasAgreed()
        let shouldStop = votes[1] > 0
        if shouldStop {
            // A rank can have hung after its vote, and a save with it would never end. A barrier passes only with ranks that
            // have seen the answer.
            deadline?.comes(asked: true)
            try world.barrier()
            deadline?.hasAgreed()
        }
        return Decision(
            shouldSave: votes[0] > 0, shouldStop: shouldStop, shouldMeasurePeak: votes[4] > 0,
            allWritesFinished: votes[2] == 0, peakMemory: Int(votes[3]))
    }
}
