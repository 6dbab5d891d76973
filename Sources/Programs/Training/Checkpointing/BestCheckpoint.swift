/// The saved state with the lowest validation loss so far; every checkpoint carries it on.
struct BestCheckpoint: Sendable, Equatable {
    var step: Int
    /// Nats per token.
    var loss: Double

    init(step: Int, loss: Double) {
        self.step = step
        self.loss = loss
    }

    /// What a checkpoint's `CheckpointRecord.extras` say.
    init?(extras: [String: String]) {
        guard let step = extras["best_step"].flatMap({ Int($0) }),
            let loss = extras["best_validation_loss"].flatMap({ Double($0) })
        else { return nil }
        self.init(step: step, loss: loss)
    }

    var extras: [String: String] { ["best_step": "\(step)", "best_validation_loss": "\(loss)"] }

    /// Of equals the earlier one; a loss that is no number is never best.
    static func better(_ old: BestCheckpoint?, _ new: BestCheckpoint?) -> BestCheckpoint? {
        guard let new, !new.loss.isNaN else { return old }
        guard let old else { return new }
        return new.loss < old.loss ? new : old
    }
}
