import Checkpoints
package import Collectives
import Configuration
import Data
package import Diagnostics
import Inference
import MatrixProducts
import Model
import Parallelism
package import Platform
import RunFormat
import Threading
import Tokenizers

/// Takes steps of an exact-mode run again, on one rank, and compares every bit with what the run recorded.
package final class Replay {
    private let run: RecordedRun
    private let last: Int
    private let engine: Engine
    private let windows: Mixture
    /// How the data changed, if that may have been among the steps to take.
    private let dataChange: String?
    /// With the batch of the step that is taken next.
    private var configuration: ResolvedConfiguration
    private var step: TrainingStep
    private var state: TrainingState
    private let log: (String) -> Void

    /// - Parameters:
    ///   - path: the run's directory
    ///   - last: the last step to recompute
    ///   - world: one rank
    ///   - log: takes lines of progress
    /// - Throws: `configuration` for a run in default mode or of another kernel set, `noInput` for a step that is not
    ///   recorded
    package init(
        run path: String, step last: Int, threads: Int, on world: any Communicator, log: @escaping (String) -> Void
    ) throws(Failure) {
        run = try RecordedRun(RunDirectory(path), upTo: last, log: log)
        self.last = last
        self.log = log
        try Self.requireKernels(run.kernels, ProductLibrary.kernelSet(run.configuration.precision))
        let corpus = try Corpus.open(settings: run.configuration.data, directory: run.directory.data)
        dataChange = try Self.requireData(of: run, upTo: last, corpus, log)
        var configuration = try run.configuration.resolved(tokenizer: corpus.tokenizer.vocabularySize)
        // The same bits, and a look at a micro-batch wants every layer's routes, of which recomputation keeps the last alone.
        configuration.recomputation = .none
        engine = try Engine(configuration, expertParallelSize: 1, threads: threads, forTraining: true, on: world)
        windows = try Mixture(
            corpus.train, of: configuration.data.train, context: configuration.model.context, seed: configuration.seed)
        self.configuration = configuration
        step = TrainingStep(configuration, engine, windows)
        state = TrainingState(for: engine)
        try begin()
    }

    /// What it reads and the run was made of.
    package var inputs: InputsAndOutputs {
        var places = InputsAndOutputs()
        let directory = run.directory
        places.reads([directory.configuration, directory.summary, directory.metrics], as: "the run")
        places.reads(directory.checkpoints, as: "the run's checkpoints", isWhole: true)
        places.reads((try? run.configuration.data.tokenFiles(in: directory.data)) ?? [], as: "the run's tokens")
        for (path, key) in run.configuration.data.inputs() { places.reads(path, as: key) }
        return places
    }

    private static func requireKernels(_ recorded: String?, _ ours: String) throws(Failure) {
        guard let recorded, recorded != ours else { return }
        throw Failure(
            .configuration,
            "warning: the run computed with \(recorded), this machine has \(ours): bits would "
                + "differ whether or not anything went wrong",
            advice: "replay on the same kind of CPU with the same library; OPENBLAS_CORETYPE can choose the kernels")
    }

    /// - Returns: how the data changed where that may have been among the steps to take; nil if it was not
    /// - Throws: `configuration` if the corpus is not the one that the steps up to `last` were trained on
    private static func requireData(
        of run: RecordedRun, upTo last: Int, _ corpus: Corpus, _ log: (String) -> Void
    ) throws(Failure) -> String? {
        let now = StoredData(corpus).train
        if let start = run.start?.record, start.tokenizer != corpus.tokenizer.serialized {
            throw Failure(
                .configuration, "the tokens in \(corpus.train[0].file.path) are of another tokenizer than the run's",
                advice: "replay needs the data that the step was trained on: restore them")
        }
        let then = run.data.train
        guard then.isEmpty || then == now else {
            throw Failure(
                .configuration,
                "the training data are others than those of the step: then \(then.text), now \(now.text)",
                advice: "replay needs the data that the step was trained on: restore them, or replay a later step")
        }
        let start = run.start?.record.step ?? 0
        guard run.data.trainedSince <= start else {
            throw Failure(
                .configuration,
                "the training data changed after step \(run.data.trainedSince), and the newest checkpoint before step \(last) "
                    + "is of step \(start): step \(start + 1) was trained on other data than those of now, \(now.text)",
                advice:
                    "steps behind a checkpoint of step \(run.data.trainedSince) or later can be replayed; for the others restore "
                    + "the data of before")
        }
        let first = run.start.map { StoredData(extras: $0.record.extras).train } ?? []
        guard !first.isEmpty, first != now else { return nil }
        log("warning: the training data changed at or after the checkpoint; steps before the change will differ")
        return "the training data changed at or after step \(start): then \(first.text), now \(now.text)"
    }

    private func begin() throws(Failure) {
        guard let reader = run.start else {
            state.initialize(by: Initialization(run.configuration), on: engine.workers)
            log("starting from the initial parameters")
            return
        }
        try state.restore(from: reader)
        try reader.close()
        try state.takeProgress(of: reader.record, Consumed(of: reader.record))
        log("starting from \(reader.directory)")
    }

    /// Recomputes up to the last step, or to the first checkpoint that differs.
    /// - Throws: `configuration` if a step differs and the training data may have changed behind it
    package func verify() throws -> ReplayFindings {
        var findings = ReplayFindings(first: state.step + 1)
        while state.step < last, findings.tensor == nil {
            let number = state.step + 1
            try prepareStep()
            let outcome = try step.run(&state)
            findings.last = number
            if findings.figure == nil, let record = run.records[number] {
                findings.figure = FigureDifference(outcome, recorded: record)
            }
            guard !outcome.isDivergence else { break }
            try compareWithStored(&findings)
        }
        if let dataChange, let step = findings.figure?.step ?? findings.tensor?.step {
            throw Failure(
                .configuration, "step \(step) differs from its record, but \(dataChange)",
                advice: "what was trained on other data cannot be told from an error: restore the data of before, or "
                    + "replay a step behind a checkpoint of after the change")
        }
        return findings
    }

    /// The batch may have changed on the way; the records tell.
    private func prepareStep() throws(Failure) {
        let number = state.step + 1
        guard let record = run.records[number], record.sequences != nil else { return }
        let tokens = record.tokens - state.consumed.tokens, microBatch = configuration.batch.microBatchTokens
        guard tokens != configuration.batch.step(after: state.consumed.tokens).tokens else { return }
        guard tokens > 0, tokens <= 1 << 40, tokens % microBatch == 0 else {
            throw Failure(
                .data,
                "step \(number) is recorded with \(tokens) tokens, which is no batch of micro-batches of \(microBatch)",
                advice: "\(run.directory.metrics) does not follow from the checkpoint that replay starts from")
        }
        (configuration.batch.tokens, configuration.batch.ramp) = (tokens, [])
        step = TrainingStep(configuration, engine, windows)
    }

    /// With the checkpoint that the run left of the step just recomputed, if there is one that verifies.
    private func compareWithStored(_ findings: inout ReplayFindings) throws(Failure) {
        let folder = CheckpointFolder(run.directory.checkpoints)
        guard let stored = folder.published.first(where: { $0.step == state.step }) else { return }
        let reader: CheckpointReader
        do {
            reader = try CheckpointReader(stored.directory)
        } catch {
            log("warning: not comparing with \(stored.directory): \(error.message)")
            return
        }
        findings.tensor = try TensorDifference.first(of: state, against: reader)
        findings.comparedCheckpoints += 1
        try reader.close()
    }

    /// Computes one micro-batch of the last step alone, after recomputing what comes before, and writes its tensors to `file`.
    package func inspect(microBatch number: Int, to file: String) throws {
        while state.step < last - 1 {
            try prepareStep()
            guard try !step.run(&state).isDivergence else {
                throw Failure(.diverged, "step \(state.step + 1) diverges: there is no step \(last)")
            }
        }
        try prepareStep()
        let batch = configuration.batch.step(after: state.consumed.tokens)
        guard (0..<batch.microBatches).contains(number) else {
            throw Failure(
                .usage, "--micro-batch \(number): step \(last) has the micro-batches 0 to \(batch.microBatches - 1)")
        }
        let inspection = try MicroBatchInspection(
            step.fill(microBatch: number, after: state.consumed), number: number, step: last, of: batch,
            state.parameters,
            engine, configuration)
        try inspection.write(to: file)
    }
}

extension RecordedRun {
    /// What computed the numbers; nil if nothing says so.
    var kernels: String? { start?.record.kernels ?? RunSummary.read(directory.summary)?.kernels }
}
