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
    let found = Launchers.all.lazy.compactMap { launcher in
        launcher.sizes.first { (number($0) ?? 1) > 1 } ?? launcher.ranks.first { (number($0) ?? 0) > 0 }
    }.first
    guard let found, let value = environment[found] else { return nil }
    return Failure(
        .unavailable,
        "a launcher started several processes (\(found)=\(value)), but each is a job of one rank: the launcher does not "
            + "belong to the MPI library of this program",
        advice: "start it with that library's mpirun, as cluster/launch does, or with `srun --mpi=pmix`; separate jobs "
            + "must be started without \(found)")
}

/// What launchers tell each process in its environment. A number of processes above 1, or a number of this one above 0, says
/// that there are several.
///
/// Variables that also stand in the environment of a shell inside an allocation are not here: `SLURM_NTASKS` is what was
/// asked for, and the script of `sbatch` and the shell of `salloc` are process 0 whatever it says.
private enum Launchers {
    struct Launcher {
        var sizes: [String] = []
        var ranks: [String]
    }

    static let all = [
        // Hydra (MPICH, Intel MPI) and Slurm's PMI
        Launcher(sizes: ["PMI_SIZE", "MPI_LOCALNRANKS"], ranks: ["PMI_RANK", "MPI_LOCALRANKID"]),
        Launcher(sizes: ["MV2_COMM_WORLD_SIZE"], ranks: ["MV2_COMM_WORLD_RANK"]),  // MVAPICH
        Launcher(sizes: ["OMPI_COMM_WORLD_SIZE"], ranks: ["OMPI_COMM_WORLD_RANK"]),  // Open MPI of another version
        Launcher(ranks: ["PMIX_RANK"]),  // any launcher by PMIx
        Launcher(sizes: ["SLURM_STEP_NUM_TASKS"], ranks: ["SLURM_PROCID"]),  // srun
        Launcher(sizes: ["FLUX_JOB_SIZE"], ranks: ["FLUX_TASK_RANK"]),
        Launcher(sizes: ["PALS_SIZE"], ranks: ["PALS_RANKID", "ALPS_APP_PE"]),  // Cray
        Launcher(sizes: ["JSM_NAMESPACE_SIZE"], ranks: ["JSM_NAMESPACE_RANK"]),  // jsrun
    ]
}
