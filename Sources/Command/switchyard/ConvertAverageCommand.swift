import ArgumentParser
import Checkpoints
import Conversion
import Diagnostics
import Platform

/// `switchyard convert average`: the mean of several checkpoints.
struct ConvertAverage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "average",
        abstract: "Makes one checkpoint with the mean of several checkpoints' parameters.",
        usage: "switchyard convert average CHECKPOINT … OUTPUT [--weights W,W,…] [--ema]",
        discussion: """
            The checkpoints are of one model and tokenizer: the last ones of a run, or the ends of its branches. The last \
            argument is the checkpoint to write. Memory is bounded by one tensor, not by the model. `train --from` begins a \
            run with the result; optimizer moments are not taken over.
            """)

    @Argument(
        help: ArgumentHelp(
            "Two or more checkpoints, or runs for their newest ones, and the checkpoint to write; it must not exist.",
            valueName: "paths"), transform: path)
    var paths: [String]
    @Option(help: "A weight above 0 for each checkpoint, such as 1,2,4; equal ones if there are none.")
    var weights: NumberList?
    @OptionGroup var parameters: AverageOption

    func validate() throws {
        if paths.count < 3 { throw ValidationError("name at least two checkpoints, and then the one to write") }
    }

    func run() throws {
        try reportingFailures {
            let output = paths[paths.count - 1]
            let sources = try paths.dropLast().map { path in
                try SourceCheckpoint(try CheckpointArgument(path: path, average: parameters.ema).open())
            }
            let average = try Average(sources, weights: weights?.numbers)
            var places = InputsAndOutputs(reading: sources[0])
            places.reads(sources.dropFirst().map(\.reader.directory), as: "a checkpoint", isWhole: true)
            let place = try StagedDirectory(output, beside: places)
            defer { place.discard() }
            let bytes = try average.write(
                to: "\(place.staging)/checkpoint", run: place.name, versions: libraryVersions())
            try place.publish("checkpoint")
            try StandardOutput.write(
                "\(output): \(bytes) bytes, the mean of "
                    + sources.map { "\($0.reader.directory) (step \($0.reader.record.step))" }.joined(separator: ", "))
        }
    }
}

/// `1,2.5,4`
struct NumberList: ExpressibleByArgument {
    var numbers: [Double]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        numbers = words.compactMap { Double($0) }
        guard numbers.count == words.count else { return nil }
    }
}
