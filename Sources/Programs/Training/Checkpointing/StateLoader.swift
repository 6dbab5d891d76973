import Checkpoints
import Collectives
import Configuration
import Data
import Diagnostics
import Inference
import MatrixProducts
import Platform

/// Fills a job's state from the checkpoint that it goes on from or begins with, and says what is no longer as it was.
struct StateLoader {
    let setup: TrainingSetup
    let world: any Communicator
    /// Takes what the user should know, on every rank.
    let log: (String) -> Void

    /// What a run's own checkpoint says besides the state.
    struct Resumed {
        var best: BestCheckpoint?
        /// Bytes of `metrics.jsonl` that belong to the steps done.
        var metricsBytes: Int
        var unfinished: IncompleteRecord?
        /// `CheckpointRecord.extras`
        var extras: [String: String]
    }

    /// **Collective** over `world`.
    /// - Returns: nil if the checkpoint is another run's
    func load(_ state: inout TrainingState, from origin: Origin) throws(Failure) -> Resumed? {
        let record = origin.reader.record
        try fill(&state, from: origin)
        switch origin.kind {
        case .weights:
            log("starting with the parameters of \(origin.directory)")
            return nil
        case .branch:
            log("branching off \(origin.directory) after step \(state.step)")
            compareData(record, state)
            return nil
        case .own: break
        }
        let changes = origin.changes.isEmpty ? "" : " with " + origin.changes.joined(separator: "; ")
        log("going on from \(origin.directory)" + changes)
        let kernels = ProductLibrary.kernelSet(setup.configuration.precision)
        if record.kernels != kernels {
            log("warning: saved with \(record.kernels), now running \(kernels): bits will differ")
        }
        let isComparable = compareData(record, state)
        return Resumed(
            best: isComparable ? BestCheckpoint(extras: record.extras) : nil, metricsBytes: record.metricsBytes,
            unfinished: try IncompleteRecord(extras: record.extras), extras: record.extras)
    }

    private func fill(_ state: inout TrainingState, from origin: Origin) throws(Failure) {
        let reader = origin.reader, parametersOnly = origin.kind == .weights
        try Agreement(ranks: world).onAllRanks { () throws(Failure) in
            try state.restore(from: reader, parametersOnly: parametersOnly)
            try reader.close()
        }
        if origin.kind != .weights { try state.takeProgress(of: reader.record, origin.consumed) }
    }

    /// Says whether the data are others than those that the checkpoint was trained with; those of before the checkpoint stay
    /// unknown if it does not name them.
    /// - Returns: whether validation losses of before and after are of the same text
    @discardableResult
    private func compareData(_ record: CheckpointRecord, _ state: TrainingState) -> Bool {
        let (old, new) = (StoredData(extras: record.extras), StoredData(setup.corpus))
        if !old.train.isEmpty, old.train != new.train {
            log(
                "warning: the training data changed since step \(record.step): then \(old.train.text), now "
                    + "\(new.train.text). Sequence "
                    + "\(state.consumed.sequences) and on are drawn from the new data in an order of their own: text that "
                    + "was trained on may come again before other text has come")
        }
        guard !old.validation.isEmpty, old.validation != new.validation else { return true }
        let now = new.validation.isEmpty ? "none" : new.validation.text
        log(
            "warning: the validation data changed since step \(record.step): then \(old.validation.text), now \(now). Losses of before "
                + "and after do not compare, so the best checkpoint is looked for anew")
        return false
    }
}
