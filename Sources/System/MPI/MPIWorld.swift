import COpenMPI
import CPlatform
import Collectives
import Diagnostics
import Platform

/// MPI from start to finish: all ranks of a job, or one rank where nothing launched any.
package enum MPIWorld {
    /// Starts MPI, runs `body` with the communicator of all ranks, and ends MPI. Collective; once per process.
    ///
    /// When `body` throws, other ranks may wait in a collective that this rank will never enter: `status` is asked for
    /// the exit code (and has the chance to say what happened), and all ranks are ended with it. A rank that is
    /// alone rethrows instead.
    package static func run<Answer>(
        _ body: (MPICommunicator) throws -> Answer,
        onError status: (any Error, MPICommunicator) -> Int32
    ) throws -> Answer {
        let world = try start()
        let outcome = Result { try body(world) }
        if case .failure(let error) = outcome, world.size > 1 { world.abort(status(error, world)) }
        try check(MPI_Finalize(), "MPI_Finalize")
        return try outcome.get()
    }

    private static func start() throws -> MPICommunicator {
        var started: Int32 = 0, provided: Int32 = 0
        try check(unsafe MPI_Initialized(&started), "MPI_Initialized")
        guard started == 0 else {
            throw CommunicationError(call: "MPI_Init_thread", reason: "MPI can be started once in a process")
        }
        // HDF5 uses no shared file pointers. Open MPI would keep one for every file, in a file of its own in the temporary
        // folder, and wait for ever where that is full.
        unsafe setenv("OMPI_MCA_sharedfp", "individual", 0)
        if !isLaunched { try prepareAlone() }
        try requireFiles()
        // Open MPI 5 looks for its settings below HOME and does not start without one.
        let isHomeless = unsafe getenv("HOME") == nil
        if isHomeless { unsafe setenv("HOME", "/", 0) }
        // The most that there is: what needs less is hardly the slower for it (docs/performance.md).
        // Open MPI ends the process when this fails, whatever error handler there is: `exit(1)` from inside the call.
        platform_mpi_is_starting()
        let status = unsafe MPI_Init_thread(nil, nil, Int32(MPI_THREAD_MULTIPLE), &provided)
        platform_mpi_has_started()
        if isHomeless { unsafe unsetenv("HOME") }
        try check(status, "MPI_Init_thread")
        guard provided >= Int32(MPI_THREAD_FUNNELED) else {
            throw CommunicationError(
                call: "MPI_Init_thread", reason: "this MPI library does not allow threads beside the one that calls it")
        }
        return try unsafe MPICommunicator(shim_comm_world())
    }

    /// Open MPI 5 crashes in MPI_Init_thread where it can open no more than 16 files.
    private static func requireFiles() throws(Failure) {
        guard let allowed = SystemLimits.ofThisProcess.openFiles, allowed < fewestFiles else { return }
        throw Failure(
            .unavailable, "MPI cannot start: the limit on open files (ulimit -n) is \(allowed)",
            advice: "raise it to \(fewestFiles) at least; 1024 is usual")
    }

    private static let fewestFiles = 32

    /// Whether mpirun, or a scheduler that speaks PMIx, started this process.
    private static var isLaunched: Bool {
        unsafe (getenv("OMPI_COMM_WORLD_RANK") != nil || getenv("PMIX_RANK") != nil)
    }

    /// A process that nothing launched starts Open MPI's daemon, which wants a directory for its files, and ssh or rsh in
    /// PATH although it will never start anything elsewhere.
    private static func prepareAlone() throws(Failure) {
        unsafe setenv("OMPI_MCA_plm", "isolated", 0)
        let names = ["OMPI_MCA_orte_tmpdir_base", "TMPDIR", "TEMP", "TMP"]
        let found = names.lazy.compactMap { name in
            unsafe getenv(name).map { (name: name, path: unsafe String(cString: $0)) }
        }.first { !$0.path.isEmpty }
        let (name, path) = found ?? ("TMPDIR", "/tmp")
        let error = unsafe platform_try_directory(path)
        guard error == 0 else {
            throw Failure(
                .unavailable,
                unsafe "MPI cannot start: it keeps temporary files in \(path), where no directory can be made: "
                    + String(cString: strerror(error)),
                advice: "set \(name) to a directory that can be written")
        }
    }

    /// Whether several threads may call MPI at the same time.
    static var supportsThreads: Bool {
        var level: Int32 = 0
        return unsafe MPI_Query_thread(&level) == MPI_SUCCESS && level >= Int32(MPI_THREAD_MULTIPLE)
    }

    /// Who may call MPI, by the standard's words without their prefix (MPI 3.1, section 12.4.3).
    package static var threadLevel: String {
        var level: Int32 = 0
        guard unsafe MPI_Query_thread(&level) == MPI_SUCCESS else { return "unknown" }
        return [
            Int32(MPI_THREAD_SINGLE): "single", Int32(MPI_THREAD_FUNNELED): "funneled",
            Int32(MPI_THREAD_SERIALIZED): "serialized", Int32(MPI_THREAD_MULTIPLE): "multiple",
        ][level] ?? "unknown"
    }

    /// The library's name and version, for the run record.
    package static var libraryVersion: String {
        var buffer = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
        var length: Int32 = 0
        guard unsafe MPI_Get_library_version(&buffer, &length) == MPI_SUCCESS else { return "unknown" }
        let text = String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.split(separator: ",").first.map(String.init) ?? text
    }
}
