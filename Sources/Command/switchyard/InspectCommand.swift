import ArgumentParser
import Checkpoints
import Diagnostics
import Foundation
import Platform
import Tensors

/// `switchyard inspect`: what is in a checkpoint?
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the tensors of a checkpoint, their shapes, sizes and norms, and how it was made.",
        discussion: """
            CHECKPOINT is a checkpoint's directory, or a folder of them or a run (then the newest that verifies), or an \
            HDF5 file of any origin. A file that no manifest vouches for is parsed by a process of its own, with limits \
            on time and memory, because a damaged one can make the library loop for ever.
            """)

    @Argument(help: "A checkpoint, a run, or an HDF5 file.", transform: path) var checkpoint: String
    @Flag(help: "Print the stored configuration and nothing else.") var config = false
    @Flag(help: "Print the figures as one JSON object on the last line.") var json = false
    @Flag(help: .hidden) var unverified = false

    func run() throws {
        try reportingFailures {
            if unverified { return try UnverifiedFile(path: checkpoint).printContents() }
            var isDirectory: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: checkpoint, isDirectory: &isDirectory) else {
                throw Failure(.noInput, "there is no \(checkpoint)")
            }
            if !isDirectory.boolValue { return try UnverifiedFile(path: checkpoint).inspectInChild() }
            let reader = try CheckpointArgument(path: checkpoint).open()
            if config {
                let text = visible(
                    RetiredKeys.translated(configuration: reader.record.configuration), keepingLines: true)
                return try StandardOutput.write(text, terminator: "")
            }
            let summary = try CheckpointSummary(reader)
            try StandardOutput.write(json ? try summary.json() : visible(summary.text, keepingLines: true))
        }
    }
}

/// The figures of a checkpoint.
private struct CheckpointSummary: Encodable {
    struct Tensor: Encodable {
        var name: String
        var shape: [Int]
        var bytes: Int
        var pieces: Int
        var norm: Double
        var mean: Double
        var largest: Double
        var notFinite: Int
    }

    var checkpoint: String
    var run: String
    var step: Int
    var tokens: Int
    var seed: UInt64
    var kernels: String
    var versions: [String: String]
    var extras: [String: String]
    var tensors: [Tensor]

    init(_ reader: CheckpointReader) throws(Failure) {
        let record = reader.record
        (checkpoint, run, step, tokens) = (reader.directory, record.run, record.step, record.tokens)
        (seed, kernels, versions, extras) = (record.seed, record.kernels, record.versions, record.extras)
        tensors = []
        for tensor in reader.tensors {
            let figures = try reader.figures(of: tensor)
            tensors.append(
                Tensor(
                    name: tensor.name, shape: tensor.shape, bytes: 4 * tensor.count, pieces: tensor.pieces.count,
                    norm: figures.norm, mean: figures.mean, largest: figures.largestMagnitude,
                    notFinite: figures.notFinite))
        }
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        var lines = ["\(checkpoint): run \(run), step \(step), \(tokens) tokens, seed \(seed), kernels \(kernels)"]
        for (name, version) in versions.sorted(by: { $0.key < $1.key }) { lines.append("  \(name): \(version)") }
        for (name, value) in extras.sorted(by: { $0.key < $1.key }) { lines.append("  \(name): \(value)") }
        let width = tensors.map(\.name.count).max() ?? 0
        for tensor in tensors {
            let name = tensor.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let shape = tensor.shape.map(String.init).joined(separator: "×")
            let figures = String(
                format: "%9.3f MB  norm %.6g  mean %.3g  largest %.3g", Double(tensor.bytes) / 1e6, tensor.norm,
                tensor.mean, tensor.largest)
            let warning = tensor.notFinite > 0 ? "  \(tensor.notFinite) NOT FINITE" : ""
            lines.append("\(name)  \(shape.padding(toLength: 16, withPad: " ", startingAt: 0)) \(figures)\(warning)")
        }
        let total = tensors.reduce(0) { $0 + $1.bytes }
        lines.append("\(tensors.count) tensors, \(total) bytes")
        return lines.joined(separator: "\n")
    }
}
