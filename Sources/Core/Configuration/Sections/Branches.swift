import Diagnostics

/// The branches of a run, `train.branches`: each is the run that would end after so many tokens, from where its decay begins. Until
/// then it has the rates of the run that it leaves.
extension RunDescription {
    /// Whether a branch that ends after `goal` tokens leaves the run after `seen` tokens: with the last step before its decay.
    package func branch(endingAt goal: Int, leavesAt seen: Int) -> Bool {
        let total = seen + batch.steps(from: seen, to: goal).tokens
        let constant = total - schedule.decayLength(of: total)
        return seen <= constant && constant < seen + batch.step(after: seen).tokens
    }

    /// Tokens after which the run ends, if all its steps are as `batch` says.
    package var endTokens: Int {
        switch length.goal {
        case .tokens(let goal): batch.end(ofRunTo: goal)
        case .steps(let steps): batch.steps(from: 0, atMost: steps).tokens
        }
    }

    /// Tokens after which the decay of a run to `goal` tokens begins.
    package func decayStart(ofRunTo goal: Int) -> Int {
        let end = batch.end(ofRunTo: goal)
        return end - schedule.decayLength(of: end)
    }

    /// - Parameter section: `train`
    /// - Throws: `configuration` for branches that leave no run
    func requireBranches(_ section: ConfigurationSection) throws(Failure) {
        guard let first = length.branches.first, let last = length.branches.last else { return }
        guard schedule.kind == .wsd else {
            throw section.failure(
                "branches",
                "needs `schedule.kind: wsd`, not `\(schedule.kind.rawValue)`: branches leave a constant rate",
                advice: "set schedule.kind to wsd, or leave train.branches out")
        }
        guard batch.end(ofRunTo: last) < endTokens else {
            throw section.failure(
                "branches", "has \(last), but the run itself ends after \(endTokens) tokens",
                advice: "name ends before that; the run decays at its own end anyway")
        }
        guard decayStart(ofRunTo: first) >= batch.step(after: 0).tokens else {
            throw section.failure(
                "branches", "has \(first): such a run decays from its first step, so it leaves nothing",
                advice: "train it alone, or shorten its decay (schedule.decay_share, schedule.decay_tokens)")
        }
    }
}
