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
        let skipped =
            try Agreement(ranks: world).onRankZero { () throws(Failure) -> SkippedFiles in
                let skipped = try given.data.requireFiles()
                try RunDirectory(given.directory).requireWritable()
                return skipped
            } ?? SkippedFiles()
        var notes = given.warnings
        let origin = try Origin.find(for: given, options, on: world) { notes.append($0) }
        // The corpus is not tokenized here, so an automatic vocabulary is what the tokenizer setting says.
        let configuration = try given.resolved(tokenizer: try Self.expectedVocabulary(of: given.data, origin))
        let corpus = try Self.corpus(of: given, origin, on: world)
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let workers = ThreadPool(count: min(configuration.parallel.threadsPerRank, processors))
        let rate = try Self.gemmPeak(configuration.precision, workers, world)
        let estimate = MemoryEstimate(configuration, layout)
        memory = estimate
        let account = Self.text(
            configuration, origin, layout, estimate, corpus, gemmPeak: rate, available: ProcessMemory.available)
        let binding = try bindingWarning(threadsPerRank: configuration.parallel.threadsPerRank, on: world)
        let notRead = skipped.isEmpty ? nil : "not read: \(skipped)"
        description = (notes + [account, notRead, binding].compactMap(\.self)).joined(separator: "\n")
        do {
            try requireMemory(estimate, on: world)
            obstacle = nil
        } catch {
            obstacle = error
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
                    corpus, try configuration.resolved(tokenizer: corpus.tokenizer.vocabularySize))
            }
        } ?? nil
    }

    private static func inWords(_ corpus: Corpus?, tokens: Int) -> String {
        guard let corpus else { return "not counted: it takes long to tokenize" }
        let validation = corpus.validation.map { ", \(grouped($0.count)) for validation" } ?? ", none for validation"
        return "\(grouped(corpus.train.count)) tokens for training\(validation); "
            + "\(decimals(Double(tokens) / Double(corpus.train.count), 2)) epochs in all"
    }

    /// The rate of matrix products of all ranks together, in FLOP/s. **Collective** over `world`.
    private static func gemmPeak(
        _ precision: Precision, _ workers: ThreadPool, _ world: any Communicator
    ) throws(Failure) -> Double {
        do {
            try world.barrier()
            return try world.sum(of: measureGemmPeak(precision, on: workers, repetitions: 3))
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

    private static func text(
        _ configuration: ResolvedConfiguration, _ origin: Origin?, _ layout: JobLayout, _ estimate: MemoryEstimate,
        _ corpus: Corpus?, gemmPeak: Double, available: Int?
    ) -> String {
        let work = ModelCost(configuration.model)
        let step = origin?.step ?? 0, consumed = origin?.consumed ?? Consumed()
        let end = configuration.end(after: step, consumed)
        let perfect = work.flopsPerToken * Double(end.tokens - consumed.tokens) / gemmPeak
        var rows = [
            ("parameters", "\(grouped(work.totalParameters)), \(grouped(work.activeParameters)) active"),
            (
                "layout",
                "\(layout.ranks) ranks, expert_parallel \(layout.expertParallelSize), "
                    + "\(configuration.parallel.threadsPerRank) threads a rank"
            ),
            (
                "step",
                "\(grouped(configuration.batch.tokens)) tokens in \(configuration.batch.microBatches) micro-batches, "
                    + "\(layout.accumulationSteps) accumulation steps, \(layout.microBatchesInFlight) in flight on a rank"
            ),
            ("run", "\(grouped(end.steps)) steps, \(grouped(end.tokens)) tokens"),
            ("corpus", inWords(corpus, tokens: end.tokens)),
            (
                "begins",
                origin.map { "with \($0.directory), after \(grouped(step)) steps, \(grouped(consumed.tokens)) tokens" }
                    ?? "with initial parameters"
            ),
            (
                "work",
                "\(decimals(work.flopsPerToken / 1e6, 1)) MFLOP a token; at best \(duration(perfect)) at the GEMM peak of "
                    + "\(decimals(gemmPeak / 1e9, 0)) GFLOP/s, \(duration(perfect / 0.5)) at half of it"
            ),
            ("checkpoint", byteCount(12 * work.totalParameters)),
        ]
        for (kind, size) in estimate.rows { rows.append(("memory: \(kind)", byteCount(size))) }
        rows.append(("memory: a rank", byteCount(estimate.total)))
        rows.append(("memory: free", available.map(byteCount) ?? "unknown"))
        let width = rows.map(\.0.count).max()! + 2
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count) + $0.1 }.joined(separator: "\n")
    }
}
