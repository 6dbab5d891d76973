package import Diagnostics
import Foundation
import Platform

/// Where a run keeps everything.
package struct RunDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var configuration: String { "\(path)/config.yaml" }
    package var summary: String { "\(path)/run.json" }
    package var metrics: String { "\(path)/metrics.jsonl" }
    package var metricsTable: String { "\(path)/metrics.csv" }
    package var tensorBoard: String { "\(path)/tensorboard" }
    package var checkpoints: String { "\(path)/checkpoints" }
    package var trace: String { "\(path)/trace.json" }
    package var data: String { "\(path)/data" }

    /// The run directory of the branch that ends after `tokens` tokens.
    package func branch(endingAt tokens: Int) -> RunDirectory { RunDirectory("\(path)/branches/tokens-\(tokens)") }

    /// Makes the directory if it is missing.
    /// - Throws: `cannotCreate` if it cannot be made or written to
    package func create() throws(Failure) {
        try makeDirectory(path)
        try Self.probe(path)
    }

    /// Whether `create` would succeed: whether something can be made in the lowest folder on the way that exists. Nothing
    /// stays.
    /// - Throws: as `create`
    package func requireWritable() throws(Failure) { try Self.probe(lowestFolder) }

    /// The directory, or the lowest folder on the way to it that exists.
    package var lowestFolder: String {
        var folder = URL(fileURLWithPath: path).standardizedFileURL
        while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
            folder.deleteLastPathComponent()
        }
        return folder.path
    }

    private static func probe(_ folder: String) throws(Failure) {
        guard canCreateFiles(in: folder) else {
            throw Failure(
                .cannotCreate, "the run directory cannot be made: \(folder) cannot be written to",
                advice: "choose another with --set run.directory=PATH")
        }
    }

    /// Writes a text file of the run whole, in place of the one that is there.
    /// - Throws: `cannotCreate` with the system's reason, also where a link or a pipe is in its place
    package func write(_ text: String, to file: String) throws(Failure) {
        try replaceFile(file, with: Array(text.utf8))
    }
}
