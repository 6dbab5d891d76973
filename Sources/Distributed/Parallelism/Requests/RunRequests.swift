import CPlatform
package import Collectives
package import Diagnostics
import Platform
import Tensors

/// What the ranks agree on while they run: whether somebody asked to save or to leave, whether a save in the background is
/// done, and how much memory is used. A rank never saves or leaves alone.
package final class RunRequests {
    package struct Answer {
        package var wantsSave: Bool
        package var wantsLeave: Bool
        /// Whether no rank writes in the background.
        package var allHaveWritten: Bool
        /// Of the rank that has used most.
        package var peakMemory: Int
    }

    private let world: any Communicator
    private let deadline: LeaveDeadline?
    /// Requests that this rank has heard and the ranks have not answered.
    private var heard: Int32 = 0
    /// `[save, leave, writes, peak memory]`
    private let votes = Vector<Double>(count: 4)

    /// The program watches for requests (`platform_watch_requests`) from its start on.
    /// - Parameter giveUp: ends this process when it was asked to leave and the other ranks do not come to agree. It is called
    ///   by another thread
    package init(_ world: any Communicator, giveUp: (@Sendable (Failure) -> Void)? = nil) {
        self.world = world
        deadline = world.size > 1 ? giveUp.map { LeaveDeadline(rank: world.rank, giveUp: $0) } : nil
    }

    /// Between two steps; the caller does what is answered. **Collective**.
    /// - Parameters:
    ///   - isOverdue: whether this rank finds that it is time to save
    ///   - isWriting: whether this rank writes in the background
    package func agree(isOverdue: Bool, isWriting: Bool) throws(CommunicationError) -> Answer {
        let answer = try vote(isOverdue: isOverdue, isWriting: isWriting)
        heard = 0
        return answer
    }

    /// In the midst of longer work, which then breaks off; the request stays for `agree`. **Collective**.
    package func wantLeave() throws(CommunicationError) -> Bool {
        try vote(isOverdue: false, isWriting: false).wantsLeave
    }

    /// For a save, which takes as long as it takes.
    package func withoutDeadline(_ body: () throws(Failure) -> Void) throws(Failure) {
        deadline?.goesAway()
        defer { deadline?.comesBack() }
        try body()
    }

    private func vote(isOverdue: Bool, isWriting: Bool) throws(CommunicationError) -> Answer {
        heard |= platform_take_requests()
        let leaves = heard & Int32(platform_request_leave) != 0
        deadline?.comes(asked: leaves)
        votes[0] = heard != 0 || isOverdue ? 1 : 0
        votes[1] = leaves ? 1 : 0
        votes[2] = isWriting ? 1 : 0
        votes[3] = Double(ProcessMemory.peak)
        try world.maximum(votes)
        deadline?.hasAgreed()
        return Answer(
            wantsSave: votes[0] > 0, wantsLeave: votes[1] > 0, allHaveWritten: votes[2] == 0,
            peakMemory: Int(votes[3]))
    }
}

extension Failure {
    /// Somebody asked a job to leave that has nothing to save.
    package static func leaving(_ work: String) -> Failure {
        Failure(
            .tryAgain, "asked to leave \(work): there is nothing to save",
            advice: "start the same command again")
    }
}

extension Communicator {
    /// The sum of one number over all ranks. **Collective**.
    package func sum(of value: Double) throws(CommunicationError) -> Double {
        let vector = Vector<Double>(count: 1)
        vector[0] = value
        try sum(vector)
        return vector[0]
    }

    /// The largest of one number over all ranks. **Collective**.
    package func maximum(of value: Double) throws(CommunicationError) -> Double {
        let vector = Vector<Double>(count: 1)
        vector[0] = value
        try maximum(vector)
        return vector[0]
    }
}
