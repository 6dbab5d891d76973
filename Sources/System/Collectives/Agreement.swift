package import Diagnostics

/// One outcome for all ranks: a rank that fails must not leave the others waiting, and none may go on as if all was well.
package struct Agreement {
    package let ranks: any Communicator

    package init(ranks: any Communicator) { self.ranks = ranks }

    /// Runs `body` on every rank and returns its answer if it succeeded everywhere. Collective; `body` may only
    /// communicate if all ranks do.
    /// - Throws: on every rank the failure of the lowest rank that failed, which is named unless all failed alike
    package func onAllRanks<Answer>(_ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
        // One rank agrees with itself, on whatever thread it is.
        if ranks.size == 1 { return try body() }
        let answer: Result<Answer, Failure>
        do {
            answer = .success(try body())
        } catch {
            answer = .failure(error)
        }
        var mine: [UInt8] = []
        if case .failure(let failure) = answer { mine = failure.packed }
        let all = try allGather(mine)
        guard let first = all.firstIndex(where: { !$0.isEmpty }) else { return try answer.get() }
        var failure = Failure(packed: all[first])
        // What all ranks found alike needs no rank's name.
        if all.contains(where: { $0 != all[first] }) { failure.message = "rank \(first): \(failure.message)" }
        throw failure
    }

    /// Runs `body` on rank 0 alone; no rank goes on if it fails. Collective; `body` may not communicate.
    /// - Returns: nil on all other ranks
    /// - Throws: rank 0's failure, on every rank
    @discardableResult
    package func onRankZero<Answer>(_ body: () throws(Failure) -> Answer) throws(Failure) -> Answer? {
        try onAllRanks { () throws(Failure) in ranks.rank == 0 ? try body() : nil }
    }

    /// Returns rank 0's bytes on every rank; what the others pass does not travel. Collective.
    package func broadcast(_ bytes: @autoclosure () -> [UInt8]) throws(Failure) -> [UInt8] {
        try allGather(ranks.rank == 0 ? bytes() : [])[0]
    }

    /// Returns rank 0's text on every rank; what the others pass does not travel. Collective.
    package func broadcast(_ text: @autoclosure () -> String) throws(Failure) -> String {
        String(decoding: try broadcast(Array(text().utf8)), as: UTF8.self)
    }

    /// `Communicator.allGather` in terms of `Failure`.
    package func allGather(_ bytes: [UInt8]) throws(Failure) -> [[UInt8]] {
        if ranks.size == 1 { return [bytes] }
        do {
            return try ranks.allGather(bytes)
        } catch {
            throw Failure(communication: error)
        }
    }

    package func barrier() throws(Failure) {
        if ranks.size == 1 { return }
        do {
            try ranks.barrier()
        } catch {
            throw Failure(communication: error)
        }
    }
}

extension Failure {
    /// The ranks cannot communicate any more: nothing collective can follow.
    package init(communication error: CommunicationError) {
        self.init(.communication, error.description, advice: "the job must be started again")
    }

    private static let separator: Character = "\u{1F}"

    var packed: [UInt8] {
        Array("\(status.rawValue)\(Self.separator)\(message)\(Self.separator)\(advice ?? "")".utf8)
    }

    init(packed bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self)
            .split(separator: Self.separator, maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let status = parts.first.flatMap { Int32($0) }.flatMap { ExitStatus(rawValue: $0) } ?? .software
        self.init(
            status, parts.count > 1 ? parts[1] : "", advice: parts.count > 2 && !parts[2].isEmpty ? parts[2] : nil)
    }
}
