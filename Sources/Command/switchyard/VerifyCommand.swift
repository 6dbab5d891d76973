import ArgumentParser
import Checkpoints
import Diagnostics
import Foundation
import Platform
import Tensors

/// `switchyard verify`: is a checkpoint what was written?
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares checkpoints with their manifests, byte by byte and tensor by tensor.",
        discussion: """
            CHECKPOINT is a checkpoint's directory, or a folder of them, or a run. Every file that is missing, surplus or \
            damaged is named, with the tensors that are lost. The exit code is 65 if anything is wrong. Files that systems and \
            file managers put anywhere (.DS_Store, Thumbs.db, .nfs…) are not counted, and a checkpoint that its job removes \
            meanwhile is left out.
            """)

    @Argument(help: "Checkpoints, folders of checkpoints, or runs.", transform: path) var checkpoint: [String]
    @Flag(help: "Print the findings as one JSON array on the last line.") var json = false

    func run() throws {
        try reportingFailures {
            let reports = try examineAll()
            for report in reports { try report.write() }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                try StandardOutput.write(String(decoding: try encoder.encode(reports), as: UTF8.self))
            }
            let damaged = reports.filter { !$0.verified }
            guard damaged.isEmpty else {
                throw Failure(
                    .data, "\(damaged.count) of \(reports.count) checkpoints are not what was written",
                    advice: "training resumes from the newest one that verifies")
            }
        }
    }
}

extension Verify {
    /// A job that saves often can remove all that was listed before it is read; then what is there by now is listed.
    private func examineAll() throws(Failure) -> [Report] {
        for _ in 0..<20 {
            var reports: [Report] = []
            for path in checkpoint { reports += try CheckpointArgument(path: path).all().compactMap(Report.init) }
            if !reports.isEmpty { return reports }
        }
        throw Failure(
            .noInput, "\(checkpoint.joined(separator: ", ")): removed while it was read",
            advice: "name the run to verify what it has now")
    }
}

private struct Report: Encodable {
    var checkpoint: String
    var verified: Bool { findings.isEmpty && surplus.isEmpty }
    var findings: [String] = []
    var surplus: [String] = []
    private var summary = ""

    enum CodingKeys: String, CodingKey { case checkpoint, verified, findings, surplus }

    /// Nil if its job removes the checkpoint meanwhile. One that takes its place is looked at instead.
    init?(_ directory: String) {
        checkpoint = directory
        for _ in 0..<5 {
            let before = FileIdentity(directory)
            examine()
            let after = FileIdentity(directory)
            if findings.isEmpty || (before != nil && before == after) { return }
            if after == nil { return nil }
        }
    }

    private mutating func examine() {
        (findings, surplus) = ([], [])
        do throws(Failure) {
            let verification = try Verification(checkpoint), manifest = verification.manifest
            findings = verification.findings()
            surplus = verification.surplus()
            summary = "\(manifest.tensors.count) tensors, \(manifest.files.count) files, \(manifest.bytesOfFiles) bytes"
        } catch {
            findings = [error.message]
        }
    }

    func write() throws {
        let state =
            !findings.isEmpty ? "DAMAGED" : surplus.isEmpty ? "verified (\(summary))" : "SURPLUS FILES (\(summary))"
        try StandardOutput.write("\(visible(checkpoint)): \(state)")
        for finding in findings { try StandardOutput.write("  \(visible(finding))") }
        for name in surplus { try StandardOutput.write("  \(name) does not belong to this checkpoint: move it away") }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(checkpoint, forKey: .checkpoint)
        try container.encode(verified, forKey: .verified)
        try container.encode(findings, forKey: .findings)
        try container.encode(surplus, forKey: .surplus)
    }
}
