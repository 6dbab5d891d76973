package import Checkpoints
package import Collectives
package import Corpora
package import Diagnostics
import Layers
import Parallel
package import Tracing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a job needs before it has a state: configuration settled, run directory claimed, corpus open, memory checked.
package struct TrainingSetup {
    package let configuration: RunConfiguration
    package let layout: JobLayout
    package let corpus: Corpus
    package let directory: RunDirectory
    /// Held by rank 0 until the job ends.
    package let lock: RunLock?
    package let engine: Engine
    /// The note of what this job would leave on this host; on its lowest rank there.
    private let remains: String?

    /// What is wrong with job, directory, corpus or memory is found here, on all ranks alike. **Collective** over `world`.
    /// - Parameters:
    ///   - tracer: records what this rank is busy with, where somebody wants to know
    ///   - report: takes lines of progress, on rank 0
    package init(
        _ given: RunConfiguration, on world: any Communicator, tracer: Tracer? = nil,
        report: @escaping (String) -> Void
    ) throws(Failure) {
        try agreeOnJob(given, on: world)
        try requireProducts(in: given.precision)
        try requireFewThreads(given.parallel.threadsPerRank, on: world)
        let agreement = Agreement(ranks: world)
        let layout = try JobLayout(given, ranks: world.size)
        let directory = RunDirectory(given.directory)
        if let warning = try bindingWarning(threadsPerRank: given.parallel.threadsPerRank, on: world), world.rank == 0 {
            report(warning)
        }
        lock = try agreement.settle { () throws(Failure) -> RunLock? in
            guard world.rank == 0 else { return nil }
            try directory.create()
            return try RunLock(runDirectory: directory.path)
        }
        remains = try JobRemains.trade(in: directory, on: world)
        let corpus = try Self.corpus(given.data, in: directory.data, lock, agreement, report: report)
        var configuration = given
        try configuration.model.settleVocabulary(tokenizer: corpus.tokenizer.vocabularySize)
        try requireMemory(MemoryEstimate(configuration, layout), on: world)
        self.configuration = configuration
        self.layout = layout
        self.corpus = corpus
        self.directory = directory
        engine = try Engine(
            configuration, expertParallel: layout.expertParallel,
            threads: configuration.parallel.threadsPerRank, lanesInFlight: layout.lanesInFlight, forTraining: true,
            on: world, tracer: tracer)
    }

    /// Rank 0 prepares the corpus, which can take long; whoever waits for it hears how it went.
    private static func corpus(
        _ data: DataSettings, in directory: String, _ lock: RunLock?, _ agreement: Agreement,
        report: (String) -> Void
    ) throws(Failure) -> Corpus {
        try agreement.settle { () throws(Failure) in
            guard agreement.ranks.rank == 0 else { return }
            do throws(Failure) {
                try Corpus.prepare(settings: data, directory: directory, report: report)
            } catch {
                lock?.release()
                throw error
            }
        }
        return try agreement.settle { () throws(Failure) in try Corpus.open(settings: data, directory: directory) }
    }

    /// Gives the run directory back when the job has ended in order. **Collective** over `world`.
    func close(on world: any Communicator) throws(Failure) {
        if let remains { unlink(remains) }
        try Agreement(ranks: world).barrier()
        lock?.release()
    }
}
