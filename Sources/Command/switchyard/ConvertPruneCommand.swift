import ArgumentParser
import Checkpoints
import Configuration
import Conversion
import Data
import Diagnostics
import Platform
import RunFormat

/// `switchyard convert prune`: the same model with its most used experts.
struct ConvertPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Keeps the experts that a text uses most, and says what that costs.",
        discussion: """
            The experts are ranked by how they were used on the calibration text; the best stay, with their columns of \
            the router. `--scope layer` ranks those of each layer and keeps E of each; `--scope model` ranks those of all \
            layers together and keeps E times the number of layers, in each layer at least as many as a token goes to, so \
            that layers come to hold different numbers. The loss on that text is measured before and after, without drops. \
            The result evaluates and trains (`train --from`, with the same `model.experts`) like any other checkpoint.
            """)

    @Argument(help: "A checkpoint, or a run for its newest one.", transform: path) var checkpoint: String
    @Argument(help: "The checkpoint to write; must not exist.", transform: path) var output: String
    @OptionGroup var parameters: AverageOption
    @Option(help: "E: how many experts a layer keeps, in units of model.experts; with `--scope model` on average.")
    var experts: Int
    @Option(parsing: .upToNextOption, help: "Text files, directories of them, or one token file.", transform: path)
    var calibration: [String]
    @OptionGroup var field: TextFieldOption
    @Option(help: "Rank by how often an expert was chosen, `counts`, or by the router's summed `probability`.")
    var by = PruningRule.counts
    @Option(help: "Rank the experts of each `layer`, or those of the whole `model`.")
    var scope = PruningScope.layer
    @Option(help: "Look at no more tokens than this; 0: at all.") var tokens = 0
    @Option(help: "Threads.") var threads = 1
    @Flag(help: "Print the figures as one JSON object on the last line.") var json = false

    func validate() throws {
        try requireThreads(threads)
        try require(experts, in: 1...65_536, "--experts")
        if tokens < 0 { throw ValidationError("--tokens must not be negative") }
    }

    func run() throws {
        try reportingFailures {
            let command = self
            try runOnRanks(virtual: 1) { world in
                let source = try SourceCheckpoint(
                    try CheckpointArgument(path: command.checkpoint, average: command.parameters.ema).open())
                let scratch = try TemporaryDirectory(on: world)
                defer { scratch.remove(on: world) }
                func measure(
                    _ source: SourceCheckpoint, report: (String) -> Void = { _ in }
                ) throws(Failure) -> Calibration {
                    try Calibration(
                        source, on: command.calibration, textField: command.field.named, in: scratch.path,
                        tokens: command.tokens, threads: command.threads, world: world, report: report)
                }
                let before = try measure(source) { printError($0) }
                let prune = try Prune(
                    source, experts: command.experts, by: command.by, over: command.scope, before)
                var places = InputsAndOutputs(reading: source)
                places.reads(
                    try filesRead(at: command.calibration, textField: command.field.named), as: "--calibration")
                let place = try StagedDirectory(command.output, beside: places)
                defer { place.discard() }
                let checkpoint = "\(place.staging)/checkpoint"
                let bytes = try prune.write(to: checkpoint, run: place.name, versions: libraryVersions())
                let after = try measure(try SourceCheckpoint(CheckpointReader(checkpoint)))
                try place.publish("checkpoint")
                try command.report(bytes, before, after, prune.kept)
            }
        }
    }

    private func report(_ bytes: Int, _ before: Calibration, _ after: Calibration, _ kept: KeptExperts) throws {
        struct Answer: Encodable {
            var loss_before: Double
            var loss_after: Double
            var tokens: Int
            var experts: ExpertsPerLayer
            var kept: [[Int]]
        }
        if json {
            return try printJSON(
                Answer(
                    loss_before: before.loss, loss_after: after.loss, tokens: before.tokens, experts: kept.experts,
                    kept: kept.numbers))
        }
        for (layer, experts) in kept.numbers.enumerated() {
            try StandardOutput.write("layer \(layer) keeps \(experts.map(String.init).joined(separator: ", "))")
        }
        try StandardOutput.write("\(output): \(bytes) bytes, model.experts: \(kept.experts)")
        try StandardOutput.write(
            "loss before \(decimals(before.loss, 4)), after \(decimals(after.loss, 4)) nats per token "
                + "(\(grouped(before.tokens)) tokens)")
    }
}

extension PruningRule: ExpressibleByArgument {}
extension PruningScope: ExpressibleByArgument {}
