import ArgumentParser
import Conversion
import Model
import Platform

/// `switchyard convert upcycle`: a dense model as a mixture of experts.
struct ConvertUpcycle: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upcycle",
        abstract: "Makes a mixture of experts of a dense checkpoint, with the same loss.",
        discussion: """
            Every expert is a copy of the dense feed-forward and the router is new. Gates are divided by their sum \
            (routing.normalize_gates: true in the new checkpoint), so that the answers add up to the dense one's. With \
            --top-k 1 such a gate is always 1 and the router learns from the load-balance loss alone: take 2 or more to \
            train on. `train --from` begins a run with the checkpoint; optimizer moments are not taken over.
            """)

    @Argument(help: "A dense checkpoint, or a run for its newest one.", transform: path) var checkpoint: String
    @Argument(help: "The checkpoint to write; must not exist.", transform: path) var output: String
    @OptionGroup var parameters: AverageOption
    @Option(help: "How many experts a layer gets.") var experts: Int
    @Option(help: "Experts a token goes to.") var topK = 2

    func validate() throws {
        try require(experts, in: 1...65_536, "--experts")
        try require(topK, in: 1...65_536, "--top-k")
    }

    func run() throws {
        try reportingFailures {
            let source = try SourceCheckpoint(try CheckpointArgument(path: checkpoint, average: parameters.ema).open())
            let place = try StagedDirectory(output, beside: .init(reading: source))
            defer { place.discard() }
            let bytes = try Upcycle(source, experts: experts, topK: topK)
                .write(to: "\(place.staging)/checkpoint", run: place.name, versions: libraryVersions())
            try place.publish("checkpoint")
            try StandardOutput.write(
                "\(output): \(bytes) bytes, \(experts) experts a layer, \(topK) a token, gates normalized")
        }
    }
}
