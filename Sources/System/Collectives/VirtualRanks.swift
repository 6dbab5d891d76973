import Threading

/// Several ranks in one process, a thread each: the same collectives as over MPI, for debuggers and fast tests.
package enum VirtualRanks {
    /// Runs `body` as every rank of a group of `count` and returns what each returned, in rank order.
    ///
    /// A body that throws breaks the group: the others' next collective throws, so none waits for ever.
    /// - Throws: the error of the rank that threw first
    package static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (any Communicator) throws -> Result
    ) throws -> [Result] {
        let abortState = AbortState()
        let group = VirtualGroup(size: count, abortState: abortState)
        let results = Monitor([Result?](repeating: nil, count: count))
        let threads = (0..<count).map { rank in
            JoinableThread {
                do {
                    let result = try body(VirtualCommunicator(rank: rank, group: group))
                    results.update { $0[rank] = result }
                } catch {
                    abortState.abort(error, rank: rank)
                }
            }
        }
        for thread in threads { thread.join() }
        if let error = abortState.cause { throw error }
        return results.update { $0.compactMap { $0 } }
    }
}

/// What all groups of one `VirtualRanks.run` share: whether a rank has given up, and why.
final class AbortState: Sendable {
    struct State: Sendable {
        var cause: (any Error)?
        var rank = 0
        /// Counts arrivals at barriers, group by group.
        var arrived: [ObjectIdentifier: Int] = [:]
        var phase: [ObjectIdentifier: Int] = [:]
    }

    let state = Monitor(State())

    var cause: (any Error)? { state.update { $0.cause } }

    /// The first error counts: later ones are its consequences.
    func abort(_ error: any Error, rank: Int) {
        state.update { state in
            guard state.cause == nil else { return }
            state.cause = error
            state.rank = rank
        }
    }
}
