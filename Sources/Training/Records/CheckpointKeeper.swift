import Checkpoints
package import Collectives
import Corpora
package import Diagnostics
import GEMM
import Layers

/// Saves training state when it is due and finds where to go on.
package final class CheckpointKeeper {
    private let setup: TrainingSetup
    private let writer: CheckpointWriter
    private let world: any Communicator

    /// **Collective** over `world`.
    package init(_ setup: TrainingSetup, on world: any Communicator) throws(Failure) {
        self.setup = setup
        self.world = world
        writer = try CheckpointWriter(
            directory: setup.directory.checkpoints, ranks: world, shards: setup.configuration.checkpoint.shards ?? world.size,
            faults: try FaultPoints.fromEnvironment())
    }

    package func isDue(after step: Int) -> Bool {
        let every = setup.configuration.checkpoint.everySteps
        return step == setup.configuration.length.steps || (every > 0 && step % every == 0)
    }

    /// **Collective**.
    /// - Parameter metricsBytes: of rank 0; the others' value does not matter
    /// - Returns: the checkpoint's directory
    @discardableResult
    package func save(_ state: TrainingState, metricsBytes: Int) throws(Failure) -> String {
        let bytes = try Agreement(ranks: world).gather(Array("\(metricsBytes)".utf8))[0]
        let configuration = setup.configuration
        let record = CheckpointRecord(
            run: configuration.runName, step: state.step, tokens: state.step * configuration.batch.tokens,
            seed: Int(configuration.seed), schedulePosition: state.step,
            dataPosition: state.step * configuration.batch.lanes,
            metricsBytes: Int(String(decoding: bytes, as: UTF8.self)) ?? 0, kernels: MatrixLibrary.kernelSet,
            configuration: configuration.resolved, tokenizer: setup.corpus.tokenizer.serialized)
        return try writer.write(record, StateStorage.shards(of: state, setup.engine.mesh)).directory
    }
}

extension RunConfiguration {
    /// The last part of the run directory's path.
    var runName: String { directory.split(separator: "/").last.map(String.init) ?? "run" }
}
