import ArgumentParser
import Collectives
import Configuration
import Diagnostics
import Foundation
import MPI
import Model
import Parallelism
import Platform
import RunFormat
import Training

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Takes steps of an exact-mode run again, on one rank, and confirms them bit by bit.",
        discussion: """
            Starts from the newest checkpoint before the step, compares routes, losses, gradients and parameters with \
            what metrics.jsonl says of every step on the way, and names the first that differs; where a checkpoint is \
            met, also the first tensor that differs. The exit code is 65 then. The texts and the directory from which \
            the run was started must be as they were.
            """)

    @Argument(help: "The run's directory.", transform: path)
    var directory: String

    @Option(help: "The last step to take.")
    var step: Int

    @Option(help: "Compute only this micro-batch of the step, the first is 0, and write its tensors to --output.")
    var microBatch: Int?

    @Option(
        help: "An HDF5 file for the tensors of --micro-batch: tokens, losses, routes, gradients.", transform: outputFile
    )
    var output: String?

    @Option(help: "Threads to compute with; the result does not depend on them.")
    var threads = 1

    @Option(name: .customLong("lane"), help: .hidden) var retiredName: String?

    func validate() throws {
        if step < 1 { throw ValidationError("--step must be at least 1") }
        try requireThreads(threads)
        try requireNotRetired(retiredName, "--lane", now: "--micro-batch")
        if (microBatch == nil) != (output == nil) {
            throw ValidationError("--micro-batch and --output belong together")
        }
    }

    func run() throws {
        try reportingFailures {
            let command = self, environment = ProcessInfo.processInfo.environment
            guard environment["OMPI_COMM_WORLD_SIZE"].flatMap({ Int($0) }) ?? 1 == 1 else {
                throw Failure(.usage, "replay needs no mpirun: it runs on one rank")
            }
            // Without MPI, which need not be able to start here.
            try runOnRanks(virtual: 1) { world in try command.replay(on: world) }
        }
    }

    private func replay(on world: any Communicator) throws {
        let replay = try Replay(run: directory, step: step, threads: threads, on: world) { printError($0) }
        if let microBatch, let output {
            var places = replay.inputs
            places.writes(output, as: "--output")
            try places.check()
            try replay.inspect(microBatch: microBatch, to: output)
            try StandardOutput.write("micro-batch \(microBatch) of step \(step) is in \(output)")
            return
        }
        let findings = try replay.verify()
        guard findings.isConfirmed else {
            let differences = [findings.figure?.description, findings.tensor?.description].compactMap(\.self)
            throw Failure(
                .data, "\(directory) is not what its records say: " + differences.joined(separator: "; "),
                advice: "recomputed were the steps \(findings.first) to \(findings.last)")
        }
        try StandardOutput.write(
            "steps \(findings.first) to \(findings.last) confirmed: routes, losses, gradients and parameters to the bit"
                + (findings.comparedCheckpoints > 0 ? ", and \(findings.comparedCheckpoints) checkpoint(s)" : ""))
    }
}
