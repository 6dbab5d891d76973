import Foundation
package import Platform

/// What one rank sees of its machine and of the libraries it runs with, before anything is judged.
package struct HostReport: Codable, Sendable, Equatable {
    package var place: RankBinding
    package var processor: Processor
    package var target: Processor.Target
    package var matrixKernel: String
    package var mpi: String
    package var mpiThreads: String
    package var hdf5: String
    package var hdf5IsParallel: Bool
    /// Variables that libraries read: `OPENBLAS_…`, `OMP_NUM_THREADS`, `OMPI_MCA_…`.
    package var environment: [String: String]
    package var memory: MemoryFacts
    package var limits: SystemLimits
    package var sharedMemory: FileSystemSpace?
    package var currentDirectory: FileSystemSpace?
    /// Whether a process may read another's memory: 0 if the system's policy does not forbid it.
    package var tracingPolicy: Int?
    /// Processes that wanted a processor in the minute before.
    package var load: Double?
    package var rates: Rates?

    package init(
        place: RankBinding, processor: Processor, target: Processor.Target, matrixKernel: String, mpi: String,
        mpiThreads: String, hdf5: String, hdf5IsParallel: Bool, environment: [String: String], memory: MemoryFacts,
        limits: SystemLimits, sharedMemory: FileSystemSpace?, currentDirectory: FileSystemSpace?, tracingPolicy: Int?,
        load: Double?,
        rates: Rates?
    ) {
        self.place = place
        self.processor = processor
        self.target = target
        self.matrixKernel = matrixKernel
        self.mpi = mpi
        self.mpiThreads = mpiThreads
        self.hdf5 = hdf5
        self.hdf5IsParallel = hdf5IsParallel
        self.environment = environment
        self.memory = memory
        self.limits = limits
        self.sharedMemory = sharedMemory
        self.currentDirectory = currentDirectory
        self.tracingPolicy = tracingPolicy
        self.load = load
        self.rates = rates
    }

    package struct MemoryFacts: Codable, Sendable, Equatable {
        package var installed: Int
        package var available: Int?
        package var controlGroupLimit: Int?

        package init(installed: Int, available: Int?, controlGroupLimit: Int?) {
            self.installed = installed
            self.available = available
            self.controlGroupLimit = controlGroupLimit
        }
    }

    /// FLOP/s of this rank, while all ranks measure.
    package struct Rates: Codable, Sendable, Equatable {
        package var threads: Int
        package var peakOfOne: ArithmeticPeak
        package var peakOfAll: ArithmeticPeak
        package var gemmOfOne: Double
        package var gemmOfAll: Double
        /// nil if this build has no products in bfloat16.
        package var bfloat16OfAll: Double?

        package init(
            threads: Int, peakOfOne: ArithmeticPeak, peakOfAll: ArithmeticPeak, gemmOfOne: Double, gemmOfAll: Double,
            bfloat16OfAll: Double?
        ) {
            self.threads = threads
            self.peakOfOne = peakOfOne
            self.peakOfAll = peakOfAll
            self.gemmOfOne = gemmOfOne
            self.gemmOfAll = gemmOfAll
            self.bfloat16OfAll = bfloat16OfAll
        }
    }
}

/// What is true of the job as a whole.
package struct JobReport: Sendable {
    /// In rank order.
    package var ranks: [HostReport]
    /// Whether mpirun or a batch system started the ranks.
    package var isLaunched: Bool
    package var forcedKernel: ForcedKernel?

    package init(ranks: [HostReport], isLaunched: Bool, forcedKernel: ForcedKernel?) {
        self.ranks = ranks
        self.isLaunched = isLaunched
        self.forcedKernel = forcedKernel
    }

    /// The first rank of every machine.
    package var hosts: [HostReport] {
        var seen: Set<String> = []
        return ranks.filter { seen.insert($0.place.host).inserted }
    }
}
