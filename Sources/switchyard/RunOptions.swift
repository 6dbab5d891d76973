import ArgumentParser
import Collectives
import Diagnostics
import Foundation
import GEMM
import HDF5
import MPI
import Settings
import Training

/// A configuration file and what the command line changes of it.
struct ConfigurationOptions: ParsableArguments {
    @Argument(help: "The run's configuration, YAML.")
    var configuration: String

    @Option(name: .customLong("set"), help: "Overrides a key: --set model.d_model=256. May be repeated.")
    var overrides: [String] = []

    /// - Parameter more: overrides that count more than the command line's
    func read(_ more: [String] = []) throws(Failure) -> RunConfiguration {
        guard let bytes = FileManager.default.contents(atPath: configuration) else {
            throw Failure(
                .noInput, "there is no configuration file \(configuration)", advice: "configs/ holds examples")
        }
        guard let text = String(bytes: bytes, encoding: .utf8) else {
            throw Failure(.configuration, "\(configuration) is not UTF-8 text")
        }
        return try RunConfiguration(SettingsDocument(yaml: text, file: configuration, overrides: overrides + more))
    }
}

/// Runs `body` as every rank of the job: the ranks mpirun started, one rank where nothing did, or `virtual` ranks inside
/// this process.
func onAllRanks(virtual: Int?, _ body: @escaping @Sendable (any Communicator) throws -> Void) throws {
    MatrixLibrary.prepare()
    try HDF5File.prepareLibrary()
    if let virtual {
        _ = try VirtualRanks.run(virtual, body)
        return
    }
    try MPIWorld.run { world in
        try body(world)
    } onError: { error, world in
        let failure = error as? Failure ?? Failure(.protocolError, "\(error)")
        // Most failures are agreed on, so rank 0 speaks for all; a rank that fails alone waits whether it does.
        if world.rank != 0 { sleep(2) }
        let place = world.rank == 0 ? "" : "rank \(world.rank): "
        complain(place + failure.description)
        return failure.status.rawValue
    }
}
