import Checkpoints
import Conversion
import Diagnostics
import Platform

/// The `transform` of every argument and option that is a path: `~` and variables of the environment mean the same as in a
/// configuration, also where no shell has expanded them.
///
/// What cannot be expanded ends the program with `configuration`, as in a configuration: the parser would take it for a wrong
/// command line.
@Sendable func path(_ text: String) -> String { parsed { () throws(Failure) in try expandedPath(named(text)) } }

/// The same for an option that names a file to write: a symbolic link stands for what it leads to, and stays.
@Sendable func outputFile(_ text: String) -> String {
    parsed { () throws(Failure) in try outputPath(expandedPath(named(text))) }
}

private func named(_ text: String) throws(Failure) -> String {
    guard !text.isEmpty else {
        throw Failure(
            .usage, "a path on the command line is empty",
            advice: "a variable of the shell that is not set becomes an empty path")
    }
    return text
}

private func parsed(_ body: () throws(Failure) -> String) -> String {
    do throws(Failure) {
        return try body()
    } catch {
        let rank = launchedRank ?? 0
        if rank == 0 { printError(error.description) }
        exitBeforeWork(error.status.rawValue, rank: rank)
    }
}

extension InputsAndOutputs {
    /// A checkpoint that a conversion reads.
    init(reading source: SourceCheckpoint) {
        self.init()
        reads(source.reader.directory, as: "the checkpoint", isWhole: true)
    }

    /// A Hugging Face directory that a conversion reads.
    init(readingHuggingFace directory: String) {
        self.init()
        reads(directory, as: "the directory")
        let names = (try? OpenDirectory(directory).names()) ?? []
        reads(names.map { "\(directory)/\($0)" }, as: "the directory")
    }
}
