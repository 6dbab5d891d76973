package import Collectives
package import Diagnostics
import Foundation
import Platform
import RunFormat

/// Refuses a job that cannot fit: the ranks of each machine together against what that machine has left. **Collective**.
package func requireMemory(_ estimate: MemoryEstimate, on world: any Communicator) throws(Failure) {
    let host = ProcessInfo.processInfo.hostName
    let agreement = Agreement(ranks: world)
    let hosts = try agreement.allGather(Array(host.utf8))
    let ranksHere = hosts.count { $0 == hosts[world.rank] }
    try agreement.onAllRanks { () throws(Failure) in
        try requireOwnLimit(for: estimate)
        // Not in integers: a model that no machine holds is refused here as well.
        let needed = Double(estimate.total) * Double(ranksHere)
        guard let available = ProcessMemory.available, needed > Double(available) else { return }
        let largest = estimate.rows.max { $0.bytes < $1.bytes }!
        throw Failure(
            .unavailable,
            "this does not fit: \(ranksHere) rank\(ranksHere == 1 ? "" : "s") on \(host) need "
                + "\(bytes(needed)), but \(bytes(available)) are free; most goes to \(largest.kind) "
                + "(\(bytes(largest.bytes)) a rank)",
            advice:
                "use more machines, a larger parallel.expert_parallel, parallel.distributed_optimizer, a smaller "
                + "batch.micro_batch_tokens or a smaller model; "
                + (estimate.microBatchesInFlight > 1
                    ? "parallel.micro_batches_in_flight=1 does with one micro-batch's memory; " : "")
                + (estimate.staging > 0
                    ? "checkpoint.overlap=false saves the \(bytes(estimate.staging)) of staging; " : "")
                + "`switchyard train --check` shows the whole account")
    }
}

/// The same against the limits of this process alone. What it has mapped by now holds the program and the libraries.
private func requireOwnLimit(for estimate: MemoryEstimate) throws(Failure) {
    guard let own = ProcessMemory.ownLimit else { return }
    let needed = estimate.total - estimate.process + estimate.mappedBeside
    guard needed > own.available else { return }
    throw Failure(
        .unavailable,
        "this does not fit: a rank needs \(bytes(needed)) more, but its limit on \(own.name) of \(bytes(own.limit)) leaves "
            + bytes(own.available),
        advice: "raise that limit, or use more ranks, a smaller batch.micro_batch_tokens or a smaller model; "
            + "`switchyard train --check` shows the whole account")
}

/// `1.5 GB`, in powers of ten.
package func bytes(_ count: Int) -> String { bytes(Double(count)) }

/// The same of more bytes than integers count.
func bytes(_ count: Double) -> String {
    for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where count >= size {
        return "\(fixed(count / size, 1)) \(unit)"
    }
    return "\(fixed(count, 0)) B"
}
