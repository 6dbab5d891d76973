import Diagnostics
import Testing
import Training

struct ForeignLauncherTests {
    private func failure(_ worldSize: Int, _ environment: [String: String]) -> Failure? {
        foreignLauncherFailure(worldSize: worldSize, environment: environment)
    }

    @Test(arguments: [
        ["PMI_SIZE": "2"], ["PMI_SIZE": "4", "PMI_RANK": "0"], ["MPI_LOCALNRANKS": "2"], ["SLURM_STEP_NUM_TASKS": "8"],
        ["OMPI_COMM_WORLD_SIZE": "3"], ["PMIX_RANK": "1"], ["FLUX_JOB_SIZE": "2"],
        ["SLURM_PROCID": "1", "SLURM_NTASKS": "2"], ["SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"],
        ["PMI_RANK": "1"], ["MV2_COMM_WORLD_RANK": "3"], ["PALS_RANKID": "1"], ["JSM_NAMESPACE_SIZE": "2"],
    ])
    func oneRankOfSeveralThatAreNoJobIsRefused(environment: [String: String]) throws {
        let refusal = try #require(failure(1, environment))
        #expect(refusal.status == .unavailable)
        #expect(environment.contains { refusal.message.contains("\($0.key)=\($0.value)") })
    }

    @Test(arguments: [
        [:], ["PMI_SIZE": "1", "PMI_RANK": "0"], ["SLURM_NTASKS": "8", "SLURM_PROCID": "0"], ["PMI_SIZE": "many"],
        ["SLURM_STEP_NUM_TASKS": "2", "PMI_SIZE": "2", "OMPI_COMM_WORLD_SIZE": "1"], ["PMIX_RANK": "0"],
        // A shell of `salloc`, a script of `sbatch`, an interactive step, a step of one task, a remote rank under mpirun.
        ["SLURM_NTASKS": "8", "SLURM_JOB_ID": "1"], ["SLURM_NTASKS": "8", "SLURM_NPROCS": "8", "SLURM_PROCID": "0"],
        ["SLURM_NTASKS": "4", "SLURM_STEP_ID": "4294967290", "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"],
        ["SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "PMIX_RANK": "0"],
        ["SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"],
    ])
    func oneRankAloneIsAJob(environment: [String: String]) { #expect(failure(1, environment) == nil) }

    @Test func aJobOfSeveralRanksMayHaveAnyEnvironment() { #expect(failure(2, ["PMI_SIZE": "2"]) == nil) }
}
