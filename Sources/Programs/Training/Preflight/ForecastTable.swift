import Configuration
import Data
import Diagnostics
import Model
import Parallelism
import Platform
import RunFormat

/// The lines of `train --check`.
struct ForecastTable {
    let configuration: ResolvedConfiguration
    let work: ModelCost
    let origin: Origin?
    let layout: JobLayout
    let memory: MemoryEstimate
    /// Nil if it is not counted.
    let corpus: Corpus?
    /// Why the data cannot be read yet.
    let missing: Failure?
    /// Of all ranks together, FLOP/s.
    let gemmPeak: Double

    var consumed: Consumed { origin?.consumed ?? Consumed() }
    var end: RunEnd { configuration.end(after: origin?.step ?? 0, consumed) }

    /// - Parameter columns: of the terminal; nil where there is none
    func text(columns: Int?) -> String {
        var rows = modelRows + runRows + [("work", workInWords)] + checkpointRows
        for (kind, size) in memory.rows { rows.append(("memory: \(kind)", byteCount(size))) }
        rows.append(("memory: a rank", byteCount(memory.total)))
        rows.append(("memory: free", ProcessMemory.available.map(byteCount) ?? "unknown"))
        return labeledLines(rows.map { (label: $0.0, value: $0.1) }, columns: columns)
    }

    private var modelRows: [(String, String)] {
        [
            ("parameters", "\(grouped(work.totalParameters)), \(grouped(work.activeParameters)) active"),
            ("vocabulary", "\(grouped(configuration.model.vocabularySize)), tokenizer \(configuration.data.tokenizer)"),
            (
                "layout",
                "\(layout.ranks) ranks, expert_parallel \(layout.expertParallelSize), "
                    + "\(configuration.parallel.threadsPerRank) threads a rank"
            ),
        ]
    }

    private var runRows: [(String, String)] {
        let branches = configuration.length.branches.map { goal in
            (
                "branch",
                "ends after \(grouped(configuration.batch.end(ofRunTo: goal))) tokens, in "
                    + RunDirectory(configuration.directory).branch(endingAt: goal).path
            )
        }
        return stepRows + [("run", "\(grouped(end.steps)) steps, \(grouped(end.tokens)) tokens")] + branches + [
            ("learning rate", configuration.learningRateInWords ?? significant(configuration.peakLearningRate, 4)),
            ("corpus", corpusInWords),
        ] + sourceRows + documentRows + [
            ("validation", validationInWords),
            (
                "begins",
                origin.map {
                    "with \($0.directory), after \(grouped($0.step)) steps, \(grouped(consumed.tokens)) tokens"
                } ?? "with initial parameters"
            ),
        ]
    }

    private var corpusInWords: String {
        if let missing { return "not there: \(missing.message)" }
        guard let corpus else { return "not counted: it takes long to tokenize" }
        let held = corpus.validation.reduce(0) { $0 + $1.count }, tokens = corpus.train.reduce(0) { $0 + $1.count }
        let validation = corpus.validation.isEmpty ? ", none for validation" : ", \(grouped(held)) for validation"
        return "\(grouped(tokens)) tokens for training\(validation)"
            + (corpus.train.count > 1 ? "" : "; \(decimals(Double(end.tokens) / Double(tokens), 2)) epochs in all")
    }

    /// None where sequences are seen as a whole.
    private var documentRows: [(String, String)] {
        guard configuration.data.documentMask else { return [] }
        let count = corpus.map { corpus in
            let tokens = corpus.train.reduce(0) { $0 + $1.file.tokenCount }, documents = corpus.documentCount
            return ", \(grouped(documents)) of \(grouped(tokens / documents)) tokens on average"
        }
        return [("document mask", "attention and positions end at the borders of documents" + (count ?? ""))]
    }

    private var validationInWords: String {
        let length = configuration.length
        guard configuration.data.validation != .none else { return "none" }
        let amount = length.validationTokens == 0 ? "all of it" : "at most \(grouped(length.validationTokens)) tokens"
        let times =
            length.validateEvery == 0
            ? "before the first step and after the last" : "every \(length.validateEvery) steps"
        return "\(times), on \(amount)"
    }

    private var workInWords: String {
        let perfect = work.flopsPerToken * Double(end.tokens - consumed.tokens) / gemmPeak
        return
            "\(decimals(work.flopsPerToken / 1e6, 1)) MFLOP a token; at best \(duration(perfect)) at the GEMM peak of "
            + "\(decimals(gemmPeak / 1e9, 0)) GFLOP/s, \(duration(perfect / 0.5)) at half of it"
    }
}

/// What checkpoints take.
extension ForecastTable {
    /// As many as there are at a time: those that stay, and the one that is being written.
    private var checkpointsAtOnce: Int { configuration.keptCheckpoints + 1 }

    /// Bytes free where the run writes.
    private var freeDisk: Int? { FileSystemSpace(at: RunDirectory(configuration.directory).lowestFolder)?.free }

    private var checkpointRows: [(String, String)] {
        let settings = configuration.checkpoint
        let cadences = [
            settings.everySteps > 0 ? "\(grouped(settings.everySteps)) steps" : nil,
            settings.everyTokens > 0 ? "\(grouped(settings.everyTokens)) tokens" : nil,
            settings.everyMinutes > 0 ? "\(significant(settings.everyMinutes, 3)) minutes" : nil,
        ].compactMap(\.self)
        let cadence = cadences.isEmpty ? "at the end" : "every \(cadences.joined(separator: " or ")) and at the end"
        let milestones =
            settings.atTokens.isEmpty
            ? "" : ", at \(settings.atTokens.map { grouped($0) }.joined(separator: " and ")) tokens"
        let kept = settings.keepEvery > 0 ? ", besides every multiple of \(grouped(settings.keepEvery)) steps" : ""
        return [
            ("checkpoint", "\(byteCount(configuration.checkpointBytes)), \(cadence)\(milestones)"),
            (
                "disk",
                "up to \(byteCount(checkpointsAtOnce * configuration.checkpointBytes)) for \(checkpointsAtOnce) checkpoints at a time\(kept); "
                    + (freeDisk.map { "\(byteCount($0)) free" } ?? "free space unknown")
            ),
        ]
    }

    var diskWarning: String? {
        guard let free = freeDisk, free < checkpointsAtOnce * configuration.checkpointBytes else { return nil }
        return
            "warning: \(byteCount(free)) are free where \(configuration.directory) will be, fewer than its checkpoints take; lower "
            + "checkpoint.keep, or choose another run.directory"
    }
}
