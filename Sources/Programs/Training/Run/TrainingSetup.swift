import Checkpoints
package import Collectives
package import Configuration
package import Data
package import Diagnostics
import MPI
package import Parallelism
import Platform
package import RunFormat
package import Threading
import Tokenizers

/// What a job needs before it has a state: configuration settled, run directory claimed, corpus open, memory checked.
package struct TrainingSetup {
    package let configuration: ResolvedConfiguration
    package let options: TrainingOptions
    package let layout: JobLayout
    package let corpus: Corpus
    package let directory: RunDirectory
    /// Held by rank 0 until the job ends.
    package let lock: RunLock?
    package let engine: Engine
    /// Nil if the run starts from initial parameters.
    package let origin: Origin?
    /// The note of what this job would leave on this host; on its lowest rank there.
    private let sessionNote: StaleSession.Note?

    /// What is wrong with job, directory, corpus or memory is found here, on all ranks alike. **Collective** over `world`.
    /// - Parameters:
    ///   - options: what the run begins with, and what may have changed since
    ///   - tracer: records what this rank is busy with, where somebody wants to know
    ///   - report: takes lines of progress, on rank 0
    package init(
        _ given: RunConfiguration, on world: any Communicator, options: TrainingOptions = TrainingOptions(),
        tracer: Tracer? = nil,
        report: @escaping (String) -> Void
    ) throws(Failure) {
        try requireSameJob(given, on: world)
        try requireProducts(in: given.precision)
        try requireFewThreads(given.parallel.threadsPerRank, on: world)
        let agreement = Agreement(ranks: world)
        let layout = try JobLayout(given, ranks: world.size)
        let directory = RunDirectory(given.directory)
        if let warning = try bindingWarning(threadsPerRank: given.parallel.threadsPerRank, on: world), world.rank == 0 {
            report(warning)
        }
        if world.rank == 0 { given.warnings.forEach(report) }
        let lock = try agreement.onRankZero { () throws(Failure) in try Self.claim(directory, report) }
        self.lock = lock
        try agreement.onRankZero { () throws(Failure) in
            try releasing(lock) { () throws(Failure) in try RecordWriter.requireOurs(given.metrics, in: directory) }
        }
        sessionNote = try StaleSession.claim(on: world)
        let origin = try releasing(lock) { () throws(Failure) in
            try Origin.find(for: given, options, on: world, log: report)
        }
        let corpus = try Self.corpus(
            given.data, origin?.tokenizer, in: options.dataDirectory ?? directory.data, lock, on: world, report: report)
        let configuration = try given.resolved(tokenizer: corpus.tokenizer.vocabularySize)
        try requireMemory(MemoryEstimate(configuration, layout), on: world)
        self.configuration = configuration
        self.options = options
        self.origin = origin
        self.layout = layout
        self.corpus = corpus
        self.directory = directory
        engine = try Engine(
            configuration, expertParallelSize: layout.expertParallelSize,
            threads: configuration.parallel.threadsPerRank, microBatchesInFlight: layout.microBatchesInFlight,
            forTraining: true,
            on: world, tracer: tracer)
    }

    /// Makes the run directory and locks it.
    private static func claim(
        _ directory: RunDirectory, _ report: @escaping (String) -> Void
    ) throws(Failure) -> RunLock {
        try directory.create()
        return try RunLock(
            runDirectory: directory.path,
            isCancelled: { SignalRequests.pending.contains(.stop) }, report: report)
    }

    /// Rank 0 prepares the corpus, which can take long, on the processors of all ranks of its machine, which wait. **Collective**.
    private static func corpus(
        _ data: DataConfiguration, _ tokenizer: GivenTokenizer?, in directory: String, _ lock: RunLock?,
        on world: any Communicator, report: @escaping (String) -> Void
    ) throws(Failure) -> Corpus {
        let processors = try processorsOfHost(on: world)
        try longWorkOnRankZero(of: world) { () throws(Failure) in
            // Of several ranks, this is a thread of its own.
            if world.size > 1 { Processors.use(processors) }
            try releasing(lock) { () throws(Failure) in
                try Corpus.prepare(settings: data, directory: directory, tokenizer: tokenizer, report: report)
            }
        }
        return try Agreement(ranks: world).onAllRanks { () throws(Failure) in
            try Corpus.open(settings: data, directory: directory)
        }
    }

    /// Gives the run directory back when the job has ended in order. **Collective** over `world`.
    func close(on world: any Communicator) throws(Failure) {
        sessionNote?.remove()
        try Agreement(ranks: world).barrier()
        lock?.release()
    }
}

/// Runs `body`, and gives the run directory back if it fails.
private func releasing<Answer>(_ lock: RunLock?, _ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
    do throws(Failure) {
        return try body()
    } catch {
        lock?.release()
        throw error
    }
}
