package import Diagnostics

/// The failure of a process that is alone in MPI's eyes although a launcher started several: one rank of another MPI library,
/// or a task of `srun` without PMIx. Each would train the whole run, all in one directory. Nil if nothing contradicts.
/// - Parameters:
///   - worldSize: ranks of the job as this program's MPI library sees it
///   - environment: of this process
package func foreignLauncherFailure(worldSize: Int, environment: [String: String]) -> Failure? {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    // What Open MPI's own launcher says counts before what a surrounding one left in the environment.
    guard worldSize == 1, number("OMPI_COMM_WORLD_SIZE") != 1 else { return nil }
    // Hydra (MPICH, Intel MPI) and Slurm's PMI; MVAPICH; Open MPI of another version; `srun`; Flux
    let sizes = [
        "PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
        "FLUX_JOB_SIZE",
    ]
    let found =
        sizes.first { (number($0) ?? 1) > 1 } ?? ["PMI_RANK", "PMIX_RANK"].first { (number($0) ?? 0) > 0 }
    guard let found, let value = environment[found] else { return nil }
    return Failure(
        .unavailable,
        "a launcher started several processes (\(found)=\(value)), but each is a job of one rank: the launcher does not "
            + "belong to the MPI library of this program",
        advice: "start it with that library's mpirun, as cluster/launch does, or with `srun --mpi=pmix`; separate jobs "
            + "must be started without \(found)")
}
