import Checkpoints
import Collectives
import Corpora
import Diagnostics
import GEMM

/// Finds where training goes on and fills the state from there.
struct StateLoader {
    let setup: TrainingSetup
    let world: any Communicator
    /// Keys that may differ from the checkpoint's although they decide what is learnt.
    let allowedChanges: Set<String>
    /// Takes what the user should know, on every rank.
    let say: (String) -> Void

    /// What a run's own checkpoint says besides the state.
    struct Resumed {
        var best: BestCheckpoint?
        /// Bytes of `metrics.jsonl` that belong to the steps done.
        var metricsBytes: Int
        var unfinished: UnfinishedRecord?
    }

    /// Fills `state` from the run's newest checkpoint that verifies, if there is one. **Collective**.
    /// - Parameter requireNewest: whether a damaged newest checkpoint is an error instead of being passed over
    func resume(_ state: inout TrainingState, requireNewest: Bool) throws(Failure) -> Resumed? {
        let (reader, passedOver) = try CheckpointFolder(setup.directory.checkpoints).newest(sharedBy: world)
        if requireNewest, let newest = passedOver.first {
            throw Failure(
                .data, "the newest checkpoint cannot be used: \(newest.reason.message)",
                advice: reader.map { "without --require-newest the run goes on from \($0.directory)" })
        }
        for other in passedOver { say("warning: passing over \(other.directory): \(other.reason.message)") }
        guard let reader else { return nil }
        let record = reader.record
        let changes = try changes(from: record)
        try fill(&state, from: reader, moments: true)
        say("going on from \(reader.directory)" + (changes.isEmpty ? "" : " with " + changes.joined(separator: "; ")))
        let kernels = MatrixLibrary.kernelSet(setup.configuration.precision)
        if record.kernels != kernels {
            say("warning: saved with \(record.kernels), now running \(kernels): bits will differ")
        }
        return Resumed(
            best: BestCheckpoint(extras: record.extras), metricsBytes: record.metricsBytes,
            unfinished: try UnfinishedRecord(extras: record.extras))
    }

    /// Fills `state` from a checkpoint of another run. **Collective**.
    /// - Parameter weightsOnly: whether training starts anew with these parameters; otherwise it goes on from that step
    func load(_ state: inout TrainingState, from path: String, weightsOnly: Bool) throws(Failure) {
        let reader = try CheckpointReader(path, sharedBy: world)
        if !weightsOnly {
            _ = try changes(from: reader.record)
        } else if reader.record.tokenizer != setup.corpus.tokenizer.serialized {
            throw Failure(
                .configuration, "\(path) was trained with another tokenizer than data.tokenizer gives",
                advice: "give the run the checkpoint's tokenizer: the same tokens must mean the same text")
        }
        try fill(&state, from: reader, moments: !weightsOnly)
    }

    private func changes(from record: CheckpointRecord) throws(Failure) -> [String] {
        try Resumption.changes(from: record, to: setup.configuration, allowing: allowedChanges)
    }

    private func fill(_ state: inout TrainingState, from reader: CheckpointReader, moments: Bool) throws(Failure) {
        try Agreement(ranks: world).settle { () throws(Failure) in
            try StateStorage.load(state, from: reader, moments: moments)
            try reader.close()
        }
        state.step = moments ? reader.record.step : 0
    }
}
