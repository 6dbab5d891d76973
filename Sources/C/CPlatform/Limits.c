#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { exit_unavailable = 69 };

int platform_write_all(int descriptor, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(descriptor, next, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (written == 0) return EIO;
        next += written;
        count -= (size_t)written;
    }
    return 0;
}

/// Formats on the stack; under a launcher the message names the rank.
__attribute__((format(printf, 1, 2))) static _Noreturn void end_unavailable(const char *format, ...) {
    char line[1024] = "switchyard: ";
    size_t length = strlen(line);
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = getenv("PMIX_RANK");
    if (rank) length += (size_t)snprintf(line + length, 64, "rank %.20s: ", rank);
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(line + length, sizeof line - length, format, arguments);
    va_end(arguments);
    if (added > 0) length += (size_t)added < sizeof line - length ? (size_t)added : sizeof line - length - 1;
    platform_write_all(2, line, length);
    _exit(exit_unavailable);
}

_Noreturn void platform_out_of_memory(long bytes) {
    end_unavailable(
        "the system refuses %ld bytes of memory\n"
        "  make the model or the batch smaller, or raise the limit (ulimit -v and -d, the job's or the container's memory); "
        "`switchyard train --check` shows what a run needs\n",
        bytes);
}

#ifdef __linux__
/// Ends the process if a limit leaves less than `bytes`. `field` is what counts against it in /proc/self/statm, in pages.
static void require_room(int resource, const char *name, const char *option, int field, long bytes) {
    struct rlimit limit;
    char text[128] = "", *next = text;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return;
    unsigned long long used = 0;
    for (int i = 0; i <= field; i++) used = strtoull(next, &next, 10);
    used *= (unsigned long long)sysconf(_SC_PAGESIZE);
    if (limit.rlim_cur >= used + (unsigned long long)bytes) return;
    end_unavailable(
        "the limit on %s (ulimit %s) of %llu MB leaves no room for the libraries, which take %llu MB and %ld MB more\n"
        "  raise it; a run takes some GB\n",
        name, option, (unsigned long long)limit.rlim_cur / 1000000, used / 1000000, bytes / 1000000);
}
#endif

void platform_require_memory(long bytes) {
#ifdef __linux__
    require_room(RLIMIT_AS, "address space", "-v", 0, bytes);
    require_room(RLIMIT_DATA, "data", "-d", 5, bytes);
#else
    (void)bytes;
#endif
}

_Noreturn void platform_out_of_threads(int error) {
    end_unavailable(
        "the system refuses another thread: %s\n"
        "  lower parallel.threads_per_rank or --threads, or raise the limit on processes (ulimit -u, the container's pids) "
        "or on memory (ulimit -v)\n",
        strerror(error));
}

void platform_reserve_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        // Without CLOEXEC: a child must not find the number free either. The lowest free number is this one.
        (void)open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
    }
}

int platform_close_output(void) { return close(1) == 0 || errno == EBADF || errno == EINTR ? 0 : errno; }

static atomic_int mpi_is_starting;

static void end_failed_start(void) {
    // Cleared first: the message ends in `_exit` again.
    if (!atomic_exchange(&mpi_is_starting, 0)) return;
    end_unavailable(
        "MPI could not start; its own message stands above\n"
        "  `mpirun -np 1 true` and `ompi_info` show whether Open MPI works here; check TMPDIR, the limits (ulimit -a) and "
        "OMPI_MCA_* variables\n");
}

#ifdef __linux__
/// Open MPI 4.1 leaves a failed MPI_Init through `_exit`, which no handler sees: calls from other libraries come here first,
/// because a program's own symbols precede those of its libraries.
_Noreturn void _exit(int status) {
    end_failed_start();
    for (;;) syscall(SYS_exit_group, status);
}
#endif

void platform_mpi_is_starting(void) {
    static atomic_flag registered = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&registered)) atexit(end_failed_start);
    atomic_store(&mpi_is_starting, 1);
}

void platform_mpi_has_started(void) { atomic_store(&mpi_is_starting, 0); }

int platform_try_directory(const char *path) {
    char place[PATH_MAX];
    struct stat found;
    if (snprintf(place, sizeof place, "%s", path) >= (int)sizeof place - 32) return ENAMETOOLONG;
    while (stat(place, &found) != 0) {
        if (errno != ENOENT) return errno;
        char *slash = strrchr(place, '/');
        if (!slash) return ENOENT;
        // The root is always there.
        slash[slash == place] = 0;
    }
    strcat(place, "/switchyard-XXXXXX");
    if (!mkdtemp(place)) return errno;
    return rmdir(place) == 0 ? 0 : errno;
}
