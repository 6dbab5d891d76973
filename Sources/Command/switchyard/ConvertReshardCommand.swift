import ArgumentParser
import Checkpoints
import Diagnostics
import Platform

/// `switchyard convert reshard`: the same checkpoint in another number of files.
struct ConvertReshard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reshard",
        abstract: "Writes a checkpoint again with another number of shards.",
        discussion: """
            Training reads any number of shards on any number of ranks; this is for file systems and for copying. \
            Memory is bounded by one tensor, not by the model. The source is verified first and stays.
            """)

    @Argument(help: "A checkpoint, or a run for its newest one.", transform: path) var checkpoint: String
    @Argument(help: "The directory to write; must not exist.", transform: path) var output: String
    @Option(help: "How many shard files.") var shards: Int

    func validate() throws { try require(shards, in: 1...1 << 20, "--shards") }

    func run() throws {
        try reportingFailures {
            guard (1...99_999).contains(shards) else {
                throw Failure(.usage, "--shards \(shards): a checkpoint has 1 to 99999 shards")
            }
            let source = try CheckpointArgument(path: checkpoint).open().directory
            let bytes = try Resharding.reshard(source, to: output, shards: shards)
            try StandardOutput.write("\(output): \(bytes) bytes in \(shards) shards, from \(source)")
        }
    }
}
