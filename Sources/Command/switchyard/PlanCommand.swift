import ArgumentParser
import Charts
import Configuration
import Data
import Diagnostics
import Foundation
import MatrixProducts
import Planning
import Platform
import Tensors

/// Which model to train with what one has.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Decides which model to train for a budget of compute and memory.",
        discussion: """
            Numbers may be written 1e20 or 300e9. Examples:
              switchyard plan --flops 1e20
              switchyard plan --nodes 4 --cores 64 --rate 50 --hours 72 --memory 24 --cache-tokens 16384
              switchyard plan --law fine-grained --flops 1e21 --granularity 1,2,4,8,16,32
            The laws, and where their papers are ambiguous: docs/laws.md.
            """)

    @OptionGroup(title: "Compute") var compute: ComputeOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Law") var choice: LawOptions
    @OptionGroup(title: "Answer") var answer: PlanAnswerOptions

    func run() throws {
        try reportingFailures {
            if answer.tables { return try printTables() }
            let law = try choice.planningLaw()
            var request = try limits.request(experts: choice.experts(for: law.metadata), law.conventions)
            request.granularities = choice.granularities(for: law.metadata, experts: request.experts)
            request.flops = try compute.budget()
            request.relativeRates = try compute.relativeRates(at: choice.granularity)
            request.countsLikeTrainer = compute.isCluster
            request.inferenceTokens = compute.inferenceTokens
            request.topKs = choice.topK ?? [1]
            let plan = try Plan(request, by: law)
            let plots = answer.plots == nil ? [] : try plan.plots()
            try requireSafeOutputs(plots.map { plot in plot.name })
            if let file = answer.writeConfig {
                try writeText(plan.runConfiguration(plan.best, in: answer.places()).yaml, to: file)
            }
            if let directory = answer.plots {
                for plot in plots { try writeText(plot.svg, to: "\(directory)/\(plot.name).svg") }
            }
            if answer.json {
                try printJSON(plan.records)
            } else {
                try StandardOutput.write(plan.text(columns: terminalColumns(of: 1)))
            }
        }
    }

    private func requireSafeOutputs(_ plots: [String]) throws(Failure) {
        var places = InputsAndOutputs()
        if choice.isFile { places.reads(choice.law, as: "--law") }
        // The written configuration names them; they are expanded when it is read.
        for (name, option) in [(answer.trainData, "--train-data"), (answer.tokenizer, "--tokenizer")] {
            if let named = try? expandedPath(name) {
                places.reads((try? filesRead(at: [named])) ?? [named], as: option)
            }
        }
        if let file = answer.writeConfig { places.writes(file, as: "--write-config") }
        if let directory = answer.plots {
            for plot in plots { places.writes("\(directory)/\(plot).svg", as: "--plots") }
        }
        try places.check()
    }

    private func printTables() throws {
        try StandardOutput.write(Comparison.all().map(\.text).joined(separator: "\n\n"))
    }
}

struct ComputeOptions: ParsableArguments {
    @Option(help: "Training compute in FLOPs.") var flops: Double?
    @Option(help: "Nodes of the cluster (with --cores, --rate and --hours in place of --flops).") var nodes: Int?
    @Option(help: "Cores of a node.") var cores: Int?
    @Option(
        help:
            "Measured rate of one core in training, GFLOP/s as `bench step` prints it; or one for each --granularity.",
        transform: numberList)
    var rate: [Double]?
    @Option(help: "Hours of training.") var hours: Double?
    @Option(help: "Tokens the model will serve; their forward passes come out of the same FLOPs.")
    var inferenceTokens = 0.0

    /// Whether the budget is a measured rate times hours.
    var isCluster: Bool { nodes != nil || cores != nil || rate != nil || hours != nil }

    /// - Throws: a `Failure` if the cluster is half described or the compute said twice
    func budget() throws -> Double? {
        let cluster: [(String, Double?)] = [
            ("--nodes", nodes.map(Double.init)), ("--cores", cores.map(Double.init)), ("--rate", rate?.first),
            ("--hours", hours),
        ]
        let missing = cluster.filter { $0.1 == nil }.map(\.0)
        if missing.count == cluster.count { return flops }
        guard flops == nil else {
            throw Failure(
                .usage, "--flops and a cluster both say how much compute there is", advice: "give one of them")
        }
        guard missing.isEmpty else {
            throw Failure(
                .usage,
                "a cluster needs --nodes, --cores, --rate and --hours; missing: \(missing.joined(separator: ", "))")
        }
        if let wrong = cluster.first(where: { !($0.1! > 0 && $0.1!.isFinite) }) {
            throw Failure(.usage, "\(wrong.0) must be a positive number")
        }
        return cluster.reduce(1e9 * 3600) { $0 * ($1.1 ?? 1) }
    }

    /// Each granularity's rate over the first one's; empty if one rate stands for all.
    ///
    /// - Throws: a `Failure` if rates and granularities do not match
    func relativeRates(at granularities: [Double]?) throws(Failure) -> [Double: Double] {
        guard let rate, rate.count > 1 else { return [:] }
        guard let granularities, granularities.count == rate.count, Set(granularities).count == rate.count else {
            throw Failure(
                .usage,
                "--rate has \(rate.count) rates; several rates are those of as many different --granularity values, in "
                    + "their order",
                advice: "for example --granularity 1,2,4 --rate 50,48,41, or one rate for all")
        }
        return Dictionary(uniqueKeysWithValues: zip(granularities, rate.map { $0 / rate[0] }))
    }
}

struct LimitOptions: ParsableArguments {
    @Option(help: "Memory of one device, GB (1e9 bytes), for the model and the cache.") var memory: Double?
    @Option(help: "Bytes of a stored parameter.") var bytesPerParameter = 2.0
    @Option(help: "Tokens whose keys and values must fit beside the model.") var cacheTokens = 0.0
    @Option(help: "Most parameters in all.") var maxTotal: Double?
    @Option(help: "Most training tokens.") var maxTokens: Double?
    @Option(help: "Most training tokens per active parameter.") var maxRatio: Double?
    @Option(help: "Size of the vocabulary; by default that of the fit's runs, or 50257.") var vocabularySize: Double?
    @Option(help: "Tokens of a sequence; by default those of the fit's runs, or 512.") var context: Double?

    func request(experts: [Double], _ runs: RunConventions) throws -> PlanRequest {
        var request = PlanRequest(experts: experts)
        if memory == nil, cacheTokens > 0 {
            throw Failure(.usage, "--cache-tokens needs --memory", advice: "say how many GB a device has")
        }
        request.memory = memory.map {
            .init(bytes: $0 * 1e9, bytesPerParameter: bytesPerParameter, cachedTokens: cacheTokens)
        }
        request.maximumTotal = maxTotal
        request.maximumTokens = maxTokens
        request.maximumTokensPerParameter = maxRatio
        request.vocabularySize = vocabularySize ?? runs.commonVocabularySize ?? request.vocabularySize
        request.context = context ?? runs.commonContext ?? request.context
        return request
    }
}

struct LawOptions: ParsableArguments {
    @Option(
        help: "\(LawCatalog.published.map(\.name).joined(separator: ", ")), or a file from `fit --output`.",
        transform: path)
    var law = "joint"
    @Option(help: "Numbers of experts to choose from, such as 1,2,4,8.", transform: numberList) var experts: [Double]?
    @Option(help: "Granularities to choose from.", transform: numberList) var granularity: [Double]?
    @Option(help: "Active experts to choose from, in units of dense feed-forwards.", transform: numberList)
    var topK: [Double]?

    var isFile: Bool { law.contains("/") || law.hasSuffix(".json") }

    func planningLaw() throws -> PlanningLaw {
        if isFile { return try FitRecord.read(file: law).planningLaw(name: law) }
        return try .published(law)
    }

    /// As many experts as the law was fitted with; by default those of the joint study, without the dense models where the law
    /// says nothing of them.
    func experts(for metadata: LawMetadata) -> [Double] {
        if let experts { return experts }
        guard metadata.variables.contains(.experts) else { return [metadata.domain.experts.lowerBound] }
        return [1, 2, 4, 8, 16, 32].filter { $0 > 1 || metadata.describesDense }
    }

    /// By default powers of two; 1 for dense models, whose feed-forward is not divided.
    func granularities(for metadata: LawMetadata, experts: [Double]) -> [Double] {
        if let granularity { return granularity }
        let isDense = metadata.denseBaseline != nil && experts.allSatisfy { $0 == 1 }
        return metadata.variables.contains(.granularity) && !isDense ? [1, 2, 4, 8, 16, 32, 64] : [1]
    }
}

struct PlanAnswerOptions: ParsableArguments {
    @Flag(help: "Print the papers' tables beside the laws, and nothing else.") var tables = false
    @Flag(help: "One array of objects on the last line.") var json = false
    @Option(help: "Write a configuration for `switchyard train` here.", transform: outputFile) var writeConfig: String?
    @Option(help: "Draw SVG comparisons into this directory.", transform: path) var plots: String?
    @Option(help: "`data.train` of the written configuration.") var trainData = "data/train"
    @Option(help: "`data.tokenizer` of the written configuration.") var tokenizer = "auto"
    @Option(help: "`run.directory` of the written configuration.") var runDirectory = "runs/planned"

    func places() -> RunPaths {
        var places = RunPaths(directory: runDirectory, train: trainData, tokenizer: tokenizer)
        places.validation = holdsManyDocuments(trainData) ? "hash 0.01" : "tail 0.01"
        places.hasBFloat16 = ProductLibrary.supports(.bfloat16)
        return places
    }
}

/// Whether `hash 0.01`, a hundredth of the documents, is sure to find some in `path`: in 1,000 lines of a JSON-lines file or
/// 1,000 files of a directory.
private func holdsManyDocuments(_ path: String) -> Bool {
    let many = 1000
    if let files = try? FileManager.default.contentsOfDirectory(atPath: path) { return files.count >= many }
    guard path.lowercased().hasSuffix(".jsonl"), let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    var lines = 0
    while lines < many, let bytes = try? file.read(upToCount: 1 << 20), !bytes.isEmpty {
        lines += bytes.count { $0 == UInt8(ascii: "\n") }
    }
    return lines >= many
}

/// `1,2,4` as numbers.
@Sendable func numberList(_ text: String) throws -> [Double] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    return try parts.map { part in
        guard let number = Double(part.filter { $0 != " " }) else {
            throw ValidationError("`\(part)` is no number; expected a list such as 1,2,4,8")
        }
        return number
    }
}
