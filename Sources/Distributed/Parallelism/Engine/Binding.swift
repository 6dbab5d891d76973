package import Collectives
package import Diagnostics
import Foundation
package import Platform

/// Where every rank of the job runs, in rank order. **Collective**.
package func placesOfRanks(threadsPerRank: Int, on world: any Communicator) throws(Failure) -> [RankBinding] {
    let agreement = Agreement(ranks: world)
    let mine = (try? JSONEncoder().encode(RankBinding.ofThisProcess(threads: threadsPerRank))) ?? Data()
    let elsewhere = RankBinding(host: "", process: 0, processors: [], threads: threadsPerRank)
    return try agreement.allGather(Array(mine)).map {
        (try? JSONDecoder().decode(RankBinding.self, from: Data($0))) ?? elsewhere
    }
}

/// The processors that the ranks of this machine may run on, for work of one of them while the others wait; empty where the system does
/// not tell. **Collective**.
package func processorsOfHost(on world: any Communicator) throws(Failure) -> [Int] {
    let places = try placesOfRanks(threadsPerRank: 1, on: world), host = places[world.rank].host
    return Set(places.filter { $0.host == host }.flatMap(\.processors)).sorted()
}

/// Refuses more threads than could do anything but wait for each other. **Collective**.
package func requireFewThreads(_ threadsPerRank: Int, on world: any Communicator) throws(Failure) {
    try Agreement(ranks: world).onAllRanks { () throws(Failure) in
        let processors = ProcessInfo.processInfo.processorCount, most = max(64, 8 * processors)
        guard threadsPerRank > most else { return }
        throw Failure(
            .configuration, "a rank is to have \(threadsPerRank) threads, but its machine has \(processors) processors",
            advice:
                "allowed here are at most \(most) threads (parallel.threads_per_rank, --threads); fastest is one for "
                + "each core")
    }
}

/// Whether threads have processors of their own; what cures it if not. **Collective**: all ranks look, one is told.
///
/// `mpirun -np 1` binds a process to one core, and two threads then share it; `--cpu-set` and hand-written rank files can
/// bind two ranks to one.
/// - Returns: a warning, nil if all is well or the system does not tell
package func bindingWarning(threadsPerRank: Int, on world: any Communicator) throws(Failure) -> String? {
    let found = oversubscriptions(try placesOfRanks(threadsPerRank: threadsPerRank, on: world))
    guard let first = found.first else { return nil }
    let more = found.count > 1 ? " (and \(found.count - 1) more such places)" : ""
    return "warning: more threads than processors, so threads wait for each other: \(first.description)\(more); "
        + bindingAdvice(threadsPerRank: threadsPerRank)
}

package func bindingAdvice(threadsPerRank: Int) -> String {
    "start mpirun with --map-by slot:PE=\(threadsPerRank) --bind-to core, or with --bind-to none, and no more threads "
        + "than the machine has cores"
}
