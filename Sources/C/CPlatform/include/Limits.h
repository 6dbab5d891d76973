// What the system refuses (memory, threads, output), reported without a need for memory or threads.
#pragma once
#include <stddef.h>

/// Ends this process with exit code 69 and a message about an allocation of `bytes` that the system refused.
_Noreturn void platform_out_of_memory(long bytes);

/// Ends this process with exit code 69 and a message if the limit on address space or on data (`ulimit -v`, `-d`) leaves less than
/// `bytes`. Needs no memory, so it may run before constructors.
void platform_require_memory(long bytes);

/// Ends this process with exit code 69 and a message about a thread that the system refused with `error`.
_Noreturn void platform_out_of_threads(int error);

/// Writes all `count` bytes, whatever signals interrupt it. Returns 0, or the error's number.
int platform_write_all(int descriptor, const void *bytes, size_t count);

/// Opens /dev/null, so that using it fails, under those of the descriptors 0 to 2 that are closed.
void platform_reserve_standard_descriptors(void);

/// Closes standard output. Returns 0, or the number of the error if something written there was lost.
int platform_close_output(void);

/// From now on an `exit` that is not ours (Open MPI ends a process whose MPI_Init fails) ends in a message and code 69.
void platform_mpi_is_starting(void);

/// MPI has started: an `exit` is again what it was.
void platform_mpi_has_started(void);

/// Makes and removes a directory inside `path`, or inside its nearest ancestor that exists. Returns 0, or the error's number.
int platform_try_directory(const char *path);
