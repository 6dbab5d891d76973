import Configuration

/// The checkpoints that a run saves at certain tokens and keeps for good: those of `checkpoint.at_tokens`, and those where
/// branches leave it. Every checkpoint carries their steps on.
struct Milestones: Sendable {
    private let configuration: ResolvedConfiguration
    /// Of those that were saved.
    private(set) var steps: Set<Int> = []

    init(_ configuration: ResolvedConfiguration) { self.configuration = configuration }

    /// Whether a step of `batch` that ended with `seen` tokens reached one.
    func contains(_ seen: Int, after batch: StepBatch) -> Bool {
        configuration.checkpoint.atTokens.contains { seen - batch.tokens < $0 && $0 <= seen }
            || configuration.length.branches.contains { configuration.branch(endingAt: $0, leavesAt: seen) }
    }

    mutating func add(step: Int) { steps.insert(step) }

    private static let key = "kept_steps"

    /// What a checkpoint's `CheckpointRecord.extras` say.
    static func steps(extras: [String: String]) -> Set<Int> {
        Set(extras[key]?.split(separator: " ").compactMap { Int($0) } ?? [])
    }

    mutating func resume(extras: [String: String]) { steps = Self.steps(extras: extras) }

    var extras: [String: String] {
        steps.isEmpty ? [:] : [Self.key: steps.sorted().map(String.init).joined(separator: " ")]
    }
}
