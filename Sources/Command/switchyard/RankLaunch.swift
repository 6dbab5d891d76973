import ArgumentParser
import BuildInformation
import CPlatform
import Collectives
import Configuration
import Diagnostics
import Foundation
import HDF5
import MPI
import MatrixProducts
import Parallelism
import Platform
import Tensors
import Training

/// Runs `body` as every rank of the job: the ranks mpirun started, one rank where nothing did, or `virtual` ranks inside
/// this process.
func runOnRanks(virtual: Int?, _ body: @escaping @Sendable (any Communicator) throws -> Void) throws {
    try requireAddresses()
    try HDF5File.prepareLibrary()
    if let virtual {
        _ = try VirtualRanks.run(virtual, body)
        return
    }
    // As the launcher left it: MPI's library changes it when it starts.
    let environment = ProcessInfo.processInfo.environment
    let agreed: Failure? = try MPIWorld.run { world -> Failure? in
        if let failure = foreignLauncherFailure(worldSize: world.size, environment: environment) { throw failure }
        do {
            try body(world)
        } catch let failure as Failure where failure.isAlwaysAgreed {
            if world.rank == 0 { printError(failure.description) }
            return failure
        } catch let agreed as AgreedFailure {
            if world.rank == 0 { printError(agreed.failure.description) }
            return agreed.failure
        }
        return nil
    } onError: { error, world in
        let failure = asFailure(error)
        // Most failures are agreed on, so rank 0 speaks for all; a rank that fails alone waits whether it does.
        if world.rank != 0 { sleep(5) }
        let place = world.rank == 0 ? "" : "rank \(world.rank): "
        printError(place + failure.description)
        return failure.status.rawValue
    }
    if let agreed { throw ExitCode(agreed.status.rawValue) }
}

/// Refuses a limit under which the libraries cannot even start; they crash or loop where it is met.
private func requireAddresses() throws(Failure) {
    let needed = 300 << 20
    guard let own = ProcessMemory.ownLimit, own.available < needed else { return }
    throw Failure(
        .unavailable,
        "the limit on \(own.name) of \(byteCount(own.limit)) leaves \(byteCount(own.available)), but program and libraries alone "
            + "need \(byteCount(needed))",
        advice: "raise the limit, for example `ulimit -v unlimited -d unlimited`")
}

/// A failure that every rank throws, with nobody waiting in a collective: the job can end in order.
struct AgreedFailure: Error { let failure: Failure }

extension Failure {
    /// Thrown by every rank between two steps, when nobody waits in a collective: the job can end in order.
    fileprivate var isAlwaysAgreed: Bool { status == .temporaryFailure || status == .diverged }
}

/// Ties this process's life to its launcher's: when mpirun is killed, no rank goes on writing. A process that nobody
/// launched may outlive the shell that started it.
func exitWithLauncher() {
    guard launchedRank != nil else { return }
    _ = platform_die_with_parent()
    // The launcher may have died before the call above.
    if getppid() == 1, !isFirstProcessLauncher { exit(ExitStatus.communication.rawValue) }
}

/// Whether process 1, which otherwise adopts those whose parent died, is itself a launcher, as in a container that was
/// started for `mpirun`.
private var isFirstProcessLauncher: Bool {
    let name = FileManager.default.contents(atPath: "/proc/1/comm").map { String(decoding: $0, as: UTF8.self) }
    return ["mpirun", "mpiexec", "orterun", "orted", "prterun", "prted", "srun", "slurmstepd"].contains {
        $0 == name?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// This process' rank as its launcher numbers it; nil if nothing launched it. Known before MPI starts.
var launchedRank: Int? {
    let environment = ProcessInfo.processInfo.environment
    return (environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"]).flatMap { Int($0) }
}

/// Name to version of this program and of the libraries that matter.
func libraryVersions() -> [String: String] {
    [
        "HDF5": HDF5File.libraryVersion, "MPI": MPIWorld.libraryVersion,
        "matrix library": ProductLibrary.kernelSet(.float32),
        "program": programIdentity(), "switchyard": BuildInformation.identity,
    ]
}
