import ArgumentParser
import Checkpoints
import Diagnostics
import Foundation

/// `switchyard verify`: is a checkpoint what was written?
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares checkpoints with their manifests, byte by byte and tensor by tensor.",
        discussion: """
            CHECKPOINT is a checkpoint's directory, or a folder of them, or a run. Every file that is missing, surplus or \
            damaged is named, with the tensors that are lost. The exit code is 65 if anything is wrong.
            """)

    @Argument(help: "Checkpoints, folders of checkpoints, or runs.") var checkpoint: [String]
    @Flag(help: "Print the findings as one JSON array on the last line.") var json = false

    func run() throws {
        try reportingFailures {
            let directories = try checkpoint.flatMap { try CheckpointArgument(path: $0).all() }
            let reports = directories.map(Report.init)
            for report in reports { try report.write() }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                try StandardOutput.write(String(decoding: try encoder.encode(reports), as: UTF8.self))
            }
            let damaged = reports.filter { !$0.findings.isEmpty }
            guard damaged.isEmpty else {
                throw Failure(
                    .data, "\(damaged.count) of \(reports.count) checkpoints are not what was written",
                    advice: "training resumes from the newest one that verifies")
            }
        }
    }
}

private struct Report: Encodable {
    var checkpoint: String
    var verified: Bool { findings.isEmpty }
    var findings: [String]
    private var summary = ""

    enum CodingKeys: String, CodingKey { case checkpoint, verified, findings }

    init(_ directory: String) {
        checkpoint = directory
        do {
            let manifest = try Verification.manifest(of: directory)
            findings = Verification.findings(in: directory, manifest)
            if findings.isEmpty { findings = Verification.tensorFindings(in: directory, manifest) }
            summary = "\(manifest.tensors.count) tensors, \(manifest.files.count) files, \(manifest.bytesOfFiles) bytes"
        } catch {
            findings = [error.message]
        }
    }

    func write() throws {
        guard !findings.isEmpty else { return try StandardOutput.write("\(checkpoint): verified (\(summary))") }
        try StandardOutput.write("\(checkpoint): DAMAGED")
        for finding in findings { try StandardOutput.write("  \(finding)") }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(checkpoint, forKey: .checkpoint)
        try container.encode(verified, forKey: .verified)
        try container.encode(findings, forKey: .findings)
    }
}
