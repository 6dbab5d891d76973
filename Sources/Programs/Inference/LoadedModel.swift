package import Checkpoints
package import Collectives
package import Configuration
import Data
package import Diagnostics
package import Model
package import Parallelism
package import Tokenizers

/// A model as a checkpoint left it, ready to evaluate or generate.
package struct StoredModel {
    package let configuration: ResolvedConfiguration
    package let tokenizer: any Tokenizer
    package let engine: Engine
    package let parameters: ParameterArena

    /// **Collective** over `world`; the experts are shared out over as many ranks as divide them.
    /// - Parameters:
    ///   - reader: the checkpoint
    ///   - threads: of each rank
    package init(_ reader: CheckpointReader, threads: Int, on world: any Communicator) throws(Failure) {
        let record = reader.record
        let document = try ConfigurationDocument(
            yaml: record.configuration, file: "\(reader.directory) (stored configuration)", isStored: true)
        tokenizer = try readTokenizer(Array(record.tokenizer.utf8), from: reader.directory)
        configuration = try RunConfiguration(document).resolved(tokenizer: tokenizer.vocabularySize)
        let expertParallelSize = ParallelConfiguration.allowedExpertParallelSizes(
            experts: configuration.model.expertCounts, ranks: world.size
        ).last!
        engine = try Engine(
            configuration, expertParallelSize: expertParallelSize, threads: threads, forTraining: false, on: world)
        let parameters = ParameterArena(engine.layout, for: engine.precision)
        try Agreement(ranks: world).onAllRanks { () throws(Failure) in
            try parameters.readOnly.restore(from: reader)
            try reader.close()
        }
        self.parameters = parameters
    }
}
