import ArgumentParser
import Checkpoints
import Conversion
import Diagnostics
import Model
import Platform
import RunFormat

/// `switchyard convert to-huggingface`: a checkpoint as a directory that `transformers` loads.
struct ConvertToHuggingFace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "to-huggingface",
        abstract: "Writes a checkpoint as a model that transformers loads.",
        discussion: """
            The model becomes the first of these classes that computes the same numbers: \
            \(ToHuggingFace.classNames.joined(separator: ", ")). A model that none of them holds exactly is refused. Memory is bounded by one matrix, not by the model; with --verify one \
            layer of it is in memory at a time.
            """)

    @Argument(help: "A checkpoint, or a run for its newest one.", transform: path) var checkpoint: String
    @Argument(help: "The directory to write; must not exist.", transform: path) var output: String
    @OptionGroup var parameters: AverageOption
    @Option(help: "`portable` for other programs that read the class, too; `minimal` for transformers alone.")
    var profile = ExportProfile.portable
    @Option(help: "Bytes of tensors in a file, such as 500MB or 5GB.")
    var maxShardSize = ByteCount(bytes: ToHuggingFace.defaultShardBytes)
    @OptionGroup var checks: CheckOptions

    func run() throws {
        try reportingFailures {
            let command = self
            try runOnRanks(virtual: 1) { world in
                let source = try SourceCheckpoint(
                    try CheckpointArgument(path: command.checkpoint, average: command.parameters.ema).open())
                let export = try ToHuggingFace(
                    source, profile: command.profile, shardBytes: command.maxShardSize.bytes)
                for note in export.notes { printError("note: \(note)") }
                let directory = try StagedDirectory(
                    command.output, beside: command.checks.adding(to: .init(reading: source)))
                defer { directory.discard() }
                let progress = ProgressDisplay()
                var clock = Pace(export.bytes)
                try export.write(to: directory.staging) { bytes in clock.tell(bytes) { progress.log($0) } }
                let found = try command.checks.report(on: directory.staging, of: source, on: world)
                try directory.publish()
                try StandardOutput.write(
                    "\(command.output): \(export.className), \(export.tensors) tensors, \(export.bytes) bytes in "
                        + "\(export.files) file\(export.files == 1 ? "" : "s"), from \(source.reader.directory)")
                if let found { try StandardOutput.write(found) }
            }
        }
    }
}

extension ExportProfile: ExpressibleByArgument {}

/// `5GB`, `500MB`, `64kB` or a number of bytes.
struct ByteCount: ExpressibleByArgument {
    var bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("", 1)]
        guard let (suffix, size) = units.first(where: { argument.hasSuffix($0.0) }),
            let number = Int(argument.dropLast(suffix.count)), (1...1_000_000_000_000 / size).contains(number)
        else { return nil }
        bytes = number * size
    }

    var defaultValueDescription: String { "\(bytes / 1_000_000_000)GB" }
}

/// `written 1.2 of 5.0 GB, 310 MB/s`, now and then.
private struct Pace {
    private let total: Int
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now

    init(_ total: Int) { self.total = total }

    mutating func tell(_ bytes: Int, _ log: (String) -> Void) {
        let now = ContinuousClock.now
        guard now - shown >= .seconds(2) else { return }
        shown = now
        let rate = Double(bytes) / 1e6 / ((now - started) / .seconds(1))
        log(
            "written \(decimals(Double(bytes) / 1e9, 1)) of \(decimals(Double(total) / 1e9, 1)) GB, \(decimals(rate, 0)) MB/s"
        )
    }
}
