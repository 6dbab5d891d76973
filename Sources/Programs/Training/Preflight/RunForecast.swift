package import Collectives
package import Configuration
import Data
package import Diagnostics
import Foundation
import Kernels
import Model
import Parallelism
import Platform
import RunFormat
import Tensors
import Threading
import Tokenizers

/// What a run would do: `train --check`.
package struct RunForecast: CustomStringConvertible {
    package let description: String
    package let memory: MemoryEstimate
    /// Why the run would be refused all the same.
    package let obstacle: Failure?

    /// Reads, and leaves nothing behind. **Collective** over `world`.
    /// - Throws: what the run would end with before it computes
    package init(
        _ given: RunConfiguration, _ options: TrainingOptions = TrainingOptions(), on world: any Communicator
    ) throws(Failure) {
        try requireSameJob(given, on: world)
        try requireProducts(in: given.precision)
        try requireFewThreads(given.parallel.threadsPerRank, on: world)
        let layout = try JobLayout(given, ranks: world.size)
        try Agreement(ranks: world).onRankZero { () throws(Failure) in
            let directory = RunDirectory(given.directory)
            try directory.requireWritable()
            try RecordWriter.requireOurs(given.metrics, in: directory)
        }
        let (skipped, missing) = try Self.files(of: given.data, on: world)
        var notes = given.warnings
        let origin = try Self.origin(of: given, options, on: world, missing: missing) { notes.append($0) }
        // The corpus is not tokenized here, so an automatic vocabulary is what the tokenizer setting says.
        let configuration = try given.resolved(tokenizer: try Self.expectedVocabulary(of: given.data, origin))
        let corpus = missing == nil ? try Self.corpus(of: given, origin, on: world) : nil
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let workers = ThreadPool(count: min(configuration.parallel.threadsPerRank, processors))
        let rate = try Self.gemmPeak(configuration.precision, workers, rounds: min(3, options.peakRounds), world)
        let estimate = MemoryEstimate(configuration, layout)
        memory = estimate
        let table = ForecastTable(
            configuration: configuration, work: ModelCost(configuration.model), origin: origin, layout: layout,
            memory: estimate, corpus: corpus,
            missing: missing, gemmPeak: rate)
        if let warning = table.diskWarning { notes.append(warning) }
        let binding = try bindingWarning(threadsPerRank: configuration.parallel.threadsPerRank, on: world)
        let notRead = skipped.isEmpty ? nil : "not read: \(skipped)"
        description = (notes + [table.text(columns: terminalColumns(of: 1)), notRead, binding].compactMap(\.self))
            .joined(separator: "\n")
        do {
            try requireMemory(estimate, on: world)
            obstacle = missing
        } catch {
            obstacle = error
        }
    }

    /// What of the data's directories will not be read, and why the data cannot be read if they are not there yet: all else can be
    /// said without them. **Collective** over `world`.
    /// - Throws: as preparing would for data that are there
    private static func files(
        of data: DataConfiguration, on world: any Communicator
    ) throws(Failure) -> (skipped: SkippedFiles, missing: Failure?) {
        do {
            let skipped = try Agreement(ranks: world).onRankZero { () throws(Failure) in try data.requireFiles() }
            return (skipped ?? SkippedFiles(), nil)
        } catch  where error.status == .noInput {
            return (SkippedFiles(), error)
        }
    }

    /// Data that are missing are said before a run that was started with others. **Collective** over `world`.
    private static func origin(
        of configuration: RunConfiguration, _ options: TrainingOptions, on world: any Communicator, missing: Failure?,
        log: (String) -> Void
    ) throws(Failure) -> Origin? {
        do {
            return try Origin.find(for: configuration, options, on: world, log: log)
        } catch {
            throw missing ?? error
        }
    }

    /// What rank 0 finds the corpus to be, on rank 0; nil where that would take long. **Collective** over `world`.
    /// - Throws: as training would before its first step
    private static func corpus(
        of configuration: RunConfiguration, _ origin: Origin?, on world: any Communicator
    ) throws(Failure) -> Corpus? {
        try Agreement(ranks: world).onRankZero { () throws(Failure) -> Corpus? in
            try Corpus.preview(
                settings: configuration.data, directory: RunDirectory(configuration.directory).data,
                tokenizer: origin?.tokenizer, scratch: FileManager.default.temporaryDirectory.path()
            ) { corpus throws(Failure) in
                _ = try CorpusWindows(
                    corpus, try configuration.resolved(tokenizer: corpus.tokenizer.vocabularySize), after: origin)
            }
        } ?? nil
    }

    /// The rate of matrix products of all ranks together, in FLOP/s. **Collective** over `world`.
    private static func gemmPeak(
        _ precision: Precision, _ workers: ThreadPool, rounds: Int, _ world: any Communicator
    ) throws(Failure) -> Double {
        do {
            try world.barrier()
            return try world.sum(of: measureGemmPeak(precision, on: workers, repetitions: rounds))
        } catch {
            throw Failure(communication: error)
        }
    }

    private static func expectedVocabulary(
        of data: DataConfiguration, _ origin: Origin?
    ) throws(Failure) -> Int {
        guard let origin else { return try data.expectedVocabulary() }
        return origin.tokenizer.tokenizer.vocabularySize
    }
}
