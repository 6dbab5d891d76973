import CPlatform
package import Collectives
package import Diagnostics

/// Whether threads have processors of their own; what cures it if not. **Collective**: all ranks look, one is told.
///
/// `mpirun -np 1` binds a process to one core, and two threads then share it.
/// - Returns: a warning, nil if all is well or the system does not tell
package func bindingWarning(threadsPerRank: Int, on world: any Communicator) throws(Failure) -> String? {
    let allowed = Int(platform_allowed_processors())
    let all = try Agreement(ranks: world).gather(Array("\(allowed)".utf8)).map {
        Int(String(decoding: $0, as: UTF8.self)) ?? -1
    }
    let crowded = all.indices.filter { all[$0] > 0 && all[$0] < threadsPerRank }
    guard let first = crowded.first else { return nil }
    return "warning: \(crowded.count) of \(all.count) ranks have fewer processors than threads (rank \(first): "
        + "\(all[first]) for parallel.threads_per_rank \(threadsPerRank)), so threads wait for each other; "
        + "start mpirun with --map-by slot:PE=\(threadsPerRank) --bind-to core, or with --bind-to none"
}
