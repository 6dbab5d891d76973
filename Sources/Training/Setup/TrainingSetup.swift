package import Checkpoints
package import Collectives
package import Corpora
package import Diagnostics
import Layers
import Parallel

/// What a job needs before it has a state: configuration settled, run directory claimed, corpus open, memory checked.
package struct TrainingSetup {
    package let configuration: RunConfiguration
    package let layout: JobLayout
    package let corpus: Corpus
    package let directory: RunDirectory
    /// Held by rank 0 until the job ends.
    package let lock: RunLock?
    package let engine: Engine

    /// What is wrong with job, directory, corpus or memory is found here, on all ranks alike. **Collective** over `world`.
    /// - Parameter report: takes lines of progress, on rank 0
    package init(
        _ given: RunConfiguration, on world: any Communicator, report: @escaping (String) -> Void
    ) throws(Failure) {
        try agreeOnJob(given, on: world)
        try requireProducts(in: given.precision)
        let agreement = Agreement(ranks: world)
        let layout = try JobLayout(given, ranks: world.size)
        let directory = RunDirectory(given.directory)
        if let warning = try bindingWarning(threadsPerRank: given.parallel.threadsPerRank, on: world), world.rank == 0 {
            report(warning)
        }
        lock = try agreement.settle { () throws(Failure) -> RunLock? in
            guard world.rank == 0 else { return nil }
            try directory.create()
            let lock = try RunLock(runDirectory: directory.path, remains: JobRemains.ofThisJob().places)
            if let remains = lock.previous?.remains { JobRemains(places: remains).remove() }
            try Corpus.prepare(settings: given.data, directory: directory.data, report: report)
            return lock
        }
        let corpus = try agreement.settle { () throws(Failure) in
            try Corpus.open(settings: given.data, directory: directory.data)
        }
        var configuration = given
        try configuration.model.settleVocabulary(tokenizer: corpus.tokenizer.vocabularySize)
        try requireMemory(MemoryEstimate(configuration, expertParallel: layout.expertParallel), on: world)
        self.configuration = configuration
        self.layout = layout
        self.corpus = corpus
        self.directory = directory
        engine = try Engine(
            configuration.model, configuration.routing, configuration.precision,
            expertParallel: layout.expertParallel,
            laneTokens: configuration.batch.laneTokens, threads: configuration.parallel.threadsPerRank,
            forTraining: true, on: world)
    }
}
