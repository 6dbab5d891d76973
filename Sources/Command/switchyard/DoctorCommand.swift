import ArgumentParser
import Benchmarking
import Collectives
import Platform

/// `switchyard doctor`: is this machine set up well?
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks whether this machine, and the job if mpirun starts it, is set up well.",
        discussion: """
            Processor and build, matrix library and its measured rates, MPI, HDF5, memory, limits, binding. Each line is \
            OK, warn or FAIL, with what to do. Exit code 0 if nothing fails, 69 if something does (docs/doctor.md).
            """)

    @Option(help: "Threads of each rank; the machine's processors shared out among its ranks if not given.")
    var threads: Int?
    @Flag(help: "Print the findings as one JSON object on the last line.") var json = false

    func validate() throws {
        if let threads { try requireThreads(threads) }
    }

    func run() throws {
        // MPI sets the same variables when it starts a process that nobody launched.
        let (threads, json, wasLaunched) = (threads, json, launchedRank != nil)
        try reportingFailures {
            try runOnRanks(virtual: nil) { world in
                let checkup = DoctorReport(try examine(world, threads: threads, isLaunched: wasLaunched))
                if world.rank == 0 {
                    if json { try printJSON(checkup) } else { try StandardOutput.write(checkup.text) }
                }
                // All ranks have gone through the same findings and end alike.
                if let failure = checkup.failure { throw AgreedFailure(failure: failure) }
            }
        }
    }
}

/// `switchyard gemm-rate`: for the children that measure what a forced kernel costs.
struct GemmRateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: GemmRate.command, shouldDisplay: false)

    func run() throws { try printJSON(GemmRate.ofThisProcess()) }
}
