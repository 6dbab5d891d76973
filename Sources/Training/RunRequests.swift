package import Collectives
import CPlatform
import Machine
import Tensors

/// What the ranks agree on between two steps: whether somebody asked to save or to leave, and how much memory is used. A
/// rank never saves or leaves alone.
struct RunRequests {
    struct Answer {
        var wantsSave: Bool
        var wantsLeave: Bool
        /// Of the rank that has used most.
        var peakMemory: Int
    }

    private let world: any Communicator
    /// `[save, leave, peak memory]`
    private let votes = Vector<Double>(count: 3)

    init(_ world: any Communicator) {
        self.world = world
        platform_watch_requests()
    }

    /// **Collective**.
    /// - Parameter isOverdue: whether this rank finds that it is time to save
    func agree(isOverdue: Bool) throws(CommunicationError) -> Answer {
        let requests = platform_take_requests()
        votes[0] = requests != 0 || isOverdue ? 1 : 0
        votes[1] = requests & Int32(platform_request_leave) == 0 ? 0 : 1
        votes[2] = Double(ProcessMemory.peak)
        try world.maximum(votes)
        return Answer(wantsSave: votes[0] > 0, wantsLeave: votes[1] > 0, peakMemory: Int(votes[2]))
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
