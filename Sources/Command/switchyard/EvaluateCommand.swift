import ArgumentParser
import Collectives
import Configuration
import Diagnostics
import Foundation
import Inference
import Parallelism
import Platform
import RunFormat
import Training

struct Evaluate: ParsableCommand, AnswersRequests {
    static let configuration = CommandConfiguration(
        abstract: "Measures a checkpoint's loss on text it was not trained on.",
        discussion: """
            Consecutive windows of the model's context, each predicting its own next tokens; the last partial window is \
            left out. Nothing is dropped unless routing.evaluation_capacity_factor says so.
            """)

    @Argument(help: "A checkpoint, or a run directory, whose newest checkpoint is taken.", transform: path)
    var checkpoint: String

    @Option(parsing: .upToNextOption, help: "Text files, directories of them, or one token file.", transform: path)
    var data: [String]

    @OptionGroup var field: TextFieldOption

    @OptionGroup var parameters: AverageOption

    @Option(help: "Threads of each rank.")
    var threads = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        try requireThreads(threads)
    }

    func run() throws {
        try reportingFailures {
            let argument = CheckpointArgument(path: checkpoint, average: parameters.ema)
            let (data, field, threads, json) = (data, field.named, threads, json)
            try runOnRanks(virtual: nil) { world in
                let requests = RunControl(world, abort: abort)
                let model = try StoredModel(try argument.open(sharedBy: world), threads: threads, on: world)
                let place = try TemporaryDirectory(on: world)
                defer { place.remove(on: world) }
                let result = try model.evaluate(
                    data, textField: field, in: place.path, on: world, unless: requests
                ) { printError($0) }
                guard result.loss.isFinite else {
                    throw Failure(
                        .data,
                        "the loss is \(shortest(result.loss)): the model of \(argument.path) cannot be evaluated",
                        advice: "`switchyard inspect` shows which of its parameters are not finite")
                }
                if world.rank == 0 { try report(result, json: json) }
            }
        }
    }

    private func report(_ result: ValidationResult, json: Bool) throws {
        guard json else {
            try StandardOutput.write("\(result), perplexity \(decimals(exp(result.loss), 3))")
            return
        }
        struct Answer: Encodable {
            var loss: Double
            var perplexity: Double
            var bits_per_byte: Double
            var tokens: Int
        }
        try printJSON(
            Answer(
                loss: result.loss, perplexity: exp(result.loss), bits_per_byte: result.bitsPerByte,
                tokens: result.tokens))
    }
}
