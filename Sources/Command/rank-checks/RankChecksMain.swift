import Collectives
import Diagnostics
import HDF5
import MPI
import Platform
import RankChecks

/// Runs every rank check over MPI: `mpirun -n 4 rank-checks [WORD]`, one line a check, exit code 0 if all hold.
/// With WORD only the checks whose name contains it.
@main
struct RankChecksMain {
    static func main() throws {
        let word = CommandLine.arguments.dropFirst().first ?? ""
        try HDF5File.prepareLibrary()
        let failed = try MPIWorld.run { world in
            try checks.filter { word.isEmpty || $0.name.contains(word) }.count { try !holds($0, on: world) }
        } onError: { error, world in
            print("rank \(world.rank) of \(world.size): \(error)")
            fflush(nil)
            return ExitStatus.software.rawValue
        }
        exit(failed == 0 ? ExitStatus.success.rawValue : 1)
    }

    /// What looks at the process's memory comes first: what ran before would hide growth.
    private static var checks: [RankCheck] {
        memoryCheckList + communicatorCheckList + checkpointCheckList + processCheckList + layoutCheckList
            + flightCheckList
    }

    /// The answer is the same on all ranks.
    private static func holds(_ check: RankCheck, on world: MPICommunicator) throws -> Bool {
        do {
            try check.run(on: world)
            if world.rank == 0 { print("ok     \(check.name) (\(world.size) ranks)") }
            return true
        } catch let failure as CheckFailure {
            if world.rank == 0 { print("FAILED \(check.name) (\(world.size) ranks)\n    \(failure)") }
            return false
        }
    }
}
