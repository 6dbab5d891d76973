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
                + "\(byteCount(needed)), but \(byteCount(available)) are free; most goes to \(largest.kind) "
                + "(\(byteCount(largest.bytes)) a rank)",
            advice:
                "use more machines, a larger parallel.expert_parallel, parallel.distributed_optimizer, a smaller "
                + "batch.micro_batch_tokens or a smaller model; "
                + (estimate.microBatchesInFlight > 1
                    ? "parallel.micro_batches_in_flight=1 does with one micro-batch's memory; " : "")
                + (estimate.staging > 0
                    ? "checkpoint.overlap=false saves the \(byteCount(estimate.staging)) of staging; " : "")
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
        "this does not fit: a rank needs \(byteCount(needed)) more, but its limit on \(own.name) of \(byteCount(own.limit)) leaves "
            + byteCount(own.available),
        advice: "raise that limit, or use more ranks, a smaller batch.micro_batch_tokens or a smaller model; "
            + "`switchyard train --check` shows the whole account")
}
