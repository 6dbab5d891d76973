package import Collectives
import Configuration
import Data
package import Diagnostics
import Foundation
import HDF5
import Kernels
import MPI
import MatrixProducts
import Parallelism
import Platform
import Tensors
import Threading
import Training

/// Looks at every rank and its machine, and measures. Some seconds. **Collective**.
/// - Parameters:
///   - threads: of each rank; nil: the processors of a machine, shared out among its ranks
///   - isLaunched: whether mpirun or a batch system started the ranks
package func examine(
    _ world: any Communicator, threads: Int?, isLaunched: Bool
) throws(Failure) -> JobReport {
    let places = try placesOfRanks(threadsPerRank: 1, on: world)
    let threads = threads ?? fairShare(of: world.rank, places)
    var mine = factsOfThisRank(threads: threads)
    mine.rates = try measureRates(threads: threads, mine.processor, on: world)
    let bytes = (try? JSONEncoder().encode(mine)) ?? Data()
    let agreement = Agreement(ranks: world)
    var ranks: [HostReport] = []
    for answer in try agreement.allGather(Array(bytes)) {
        guard let facts = try? JSONDecoder().decode(HostReport.self, from: Data(answer)) else {
            throw Failure(.software, "a rank's facts came out unreadable")
        }
        ranks.append(facts)
    }
    // The others wait, so that the child has rank 0's processor to itself.
    let forced = try agreement.onRankZero { () throws(Failure) in try ForcedKernel.measure() } ?? nil
    return JobReport(ranks: ranks, isLaunched: isLaunched, forcedKernel: forced)
}

/// Threads for a rank, if the ranks that share its processors share them evenly.
private func fairShare(of rank: Int, _ places: [RankBinding]) -> Int {
    let mine = places[rank]
    let sharing = places.filter { $0.host == mine.host && !Set($0.processors).isDisjoint(with: mine.processors) }
    return max(1, mine.processors.count / max(1, sharing.count))
}

private func factsOfThisRank(threads: Int) -> HostReport {
    let prefixes = ["OPENBLAS_", "OMP_", "OMPI_MCA_"]
    let environment = ProcessInfo.processInfo.environment.filter { variable in
        prefixes.contains { variable.key.hasPrefix($0) }
    }
    let policy = try? String(contentsOfFile: "/proc/sys/kernel/yama/ptrace_scope", encoding: .utf8)
    return HostReport(
        place: .ofThisProcess(threads: threads), processor: .ofThisMachine, target: .ofThisBuild,
        matrixKernel: ProductLibrary.kernelSet(.float32), mpi: MPIWorld.libraryVersion,
        mpiThreads: MPIWorld.threadLevel,
        hdf5: HDF5File.libraryVersion, hdf5IsParallel: HDF5File.isParallel, environment: environment,
        memory: HostReport.MemoryFacts(
            installed: ProcessMemory.installed, available: ProcessMemory.available,
            controlGroupLimit: ProcessMemory.controlGroupLimit),
        limits: .ofThisProcess, sharedMemory: FileSystemSpace(at: "/dev/shm"),
        currentDirectory: FileSystemSpace(at: "."),
        tracingPolicy: policy.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }, load: systemLoad(),
        rates: nil)
}

/// One thread of every rank, then all, at the same time on all ranks, because they share machines. **Collective**.
private func measureRates(
    threads: Int, _ processor: Processor, on world: any Communicator
) throws(Failure) -> HostReport.Rates {
    let agreement = Agreement(ranks: world)
    let one = ThreadPool(count: 1), all = ThreadPool(count: threads)
    func together<Value>(_ measure: () -> Value) throws(Failure) -> Value {
        try agreement.barrier()
        return measure()
    }
    return HostReport.Rates(
        threads: threads,
        peakOfOne: try together { ArithmeticPeak.measure(on: one, of: processor) },
        peakOfAll: try together { ArithmeticPeak.measure(on: all, of: processor) },
        gemmOfOne: try together { measureGemmPeak(.float32, on: one) },
        gemmOfAll: try together { measureGemmPeak(.float32, on: all) },
        bfloat16OfAll: try together {
            ProductLibrary.supports(.bfloat16) ? measureGemmPeak(.bfloat16, on: all) : nil
        })
}
