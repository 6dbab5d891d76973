import Configuration
import Data
import Model
import Parallelism
import Platform

/// MPI and HDF5 as this rank has them.
func libraryFindings(_ facts: HostReport) -> [Finding] {
    var findings: [Finding] = []
    let mpi = "\(facts.mpi), thread level \(facts.mpiThreads)"
    if facts.mpiThreads == "single" {
        findings.append(
            .fail("MPI", mpi, "this library allows no threads beside the one that calls it: build Open MPI anew"))
    } else {
        findings.append(.ok("MPI", mpi))
    }
    findings.append(transportFinding(facts))
    let version = "HDF5 \(facts.hdf5)"
    findings.append(
        facts.hdf5IsParallel
            ? .ok("HDF5", "\(version), built for parallel use")
            : .fail("HDF5", "\(version) without parallel support", "install libhdf5-openmpi-dev and build again"))
    return findings
}

/// What of Open MPI's settings decides how ranks talk.
private func transportFinding(_ facts: HostReport) -> Finding {
    let chosen = facts.environment.filter { name, _ in
        ["OMPI_MCA_btl", "OMPI_MCA_pml", "OMPI_MCA_mtl"].contains { name == $0 || name.hasPrefix($0 + "_") }
    }
    let settings = chosen.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    if let transports = chosen["OMPI_MCA_btl"], !transports.hasPrefix("^"),
        !["vader", "sm"].contains(where: { transports.split(separator: ",").map(String.init).contains($0) })
    {
        return .warn(
            "transport", "\(settings) leaves out shared memory between the ranks of a machine",
            "add vader (Open MPI 4) or sm (5): OMPI_MCA_btl=\(transports),vader")
    }
    let copies =
        facts.tracingPolicy.map { $0 > 0 } == true
        ? "; kernel.yama.ptrace_scope forbids copying straight from another rank's memory, so large messages are copied twice"
        : ""
    return .ok("transport", (settings.isEmpty ? "Open MPI chooses" : settings) + copies)
}

/// Threads, processors and who shares them.
func bindingFindings(_ job: JobReport) -> [Finding] {
    let places = job.ranks.map(\.place), subject = "threads and binding"
    let threads = places.map(\.threads).max() ?? 1
    let found = oversubscriptions(places)
    guard found.isEmpty else {
        return found.map { .warn(subject, $0.description, bindingAdvice(threadsPerRank: threads)) }
    }
    let how = places.enumerated().prefix(4).map { rank, place in
        "rank \(rank): \(place.threads) thread\(place.threads == 1 ? "" : "s") on "
            + (place.processors.isEmpty ? "processors unknown" : processorList(place.processors))
    }
    let more = places.count > 4 ? " and \(places.count - 4) more ranks" : ""
    let policy = bindingPolicy(job)
    return [.ok(subject, how.joined(separator: ", ") + more + policy)] + idleFindings(job)
}

/// What mpirun was told, as far as it tells.
private func bindingPolicy(_ job: JobReport) -> String {
    guard job.isLaunched, let first = job.ranks.first else { return "; started without mpirun" }
    if let policy = first.environment["OMPI_MCA_hwloc_base_binding_policy"] { return "; mpirun --bind-to \(policy)" }
    // Open MPI 4 says it in the ranks' environment. From 5 on only where they may run shows it.
    let isBound =
        first.environment.keys.contains { $0.hasPrefix("OMPI_MCA_orte_") }
        ? first.environment["OMPI_MCA_orte_bound_at_launch"] != nil
        : !first.place.processors.isEmpty && first.place.processors.count < first.processor.count
    return isBound ? "; bound by mpirun" : "; not bound by mpirun"
}

/// Machines with processors that no rank may use.
private func idleFindings(_ job: JobReport) -> [Finding] {
    job.hosts.compactMap { host in
        let here = job.ranks.filter { $0.place.host == host.place.host }
        let used = Set(here.flatMap { $0.place.processors })
        guard !used.isEmpty, used.count < host.processor.count else { return nil }
        return .warn(
            "idle processors",
            "\(host.place.host): the ranks may use \(used.count) of \(host.processor.count) processors",
            "start more ranks, or give them more: mpirun --map-by slot:PE=N --bind-to core, or --bind-to none")
    }
}

/// `0-3, 8`
func processorList(_ numbers: [Int]) -> String {
    var parts: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
        if let last = parts.last, last.upperBound + 1 == number {
            parts[parts.count - 1] = last.lowerBound...number
        } else {
            parts.append(number...number)
        }
    }
    let text = parts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    return "processor\(numbers.count == 1 ? "" : "s") " + text.joined(separator: ", ")
}

/// What must be alike on all ranks, and what had better be.
func agreementFindings(_ job: JobReport) -> [Finding] {
    guard job.ranks.count > 1 else { return [] }
    func compare(_ subject: String, _ level: Finding.Level, _ why: String, _ value: (HostReport) -> String) -> Finding?
    {
        let values = job.ranks.map(value)
        guard let other = values.firstIndex(where: { $0 != values[0] }) else { return nil }
        let hosts = [0, other].map { "rank \($0) on \(job.ranks[$0].place.host)" }
        return Finding(
            level, subject, "\(hosts[0]) has \(values[0]), \(hosts[1]) has \(values[other])", advice: why)
    }
    let differences = [
        compare("processors differ", .warn, "the slowest sets the pace: ask for machines of one kind") {
            $0.processor.model
        },
        compare("matrix kernels differ", .fail, "train refuses such a job; set OPENBLAS_CORETYPE alike for all ranks") {
            $0.matrixKernel
        },
        compare("MPI differs", .fail, "use one installation of Open MPI on all machines") { $0.mpi },
        compare("HDF5 differs", .warn, "use one installation of HDF5 on all machines") { $0.hdf5 },
        compare("builds differ", .fail, "start all ranks from the same file") { $0.target.name },
    ].compactMap { $0 }
    let hosts = job.hosts.count
    return differences.isEmpty
        ? [.ok("ranks", "\(job.ranks.count) ranks on \(hosts) machine\(hosts == 1 ? "" : "s"), all alike")]
        : differences
}
