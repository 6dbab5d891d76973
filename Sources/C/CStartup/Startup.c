#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Startup.h"
#include "CPlatform.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void prepare_for_libraries(void) { platform_hold_requests(); }

#ifdef __linux__
/// A buffer of OpenBLAS 0.3.29 has 128 MiB; what the libraries take besides was measured as less than 32 MiB.
static const long needed_by_libraries = 160L << 20;

static int is_limited(void) {
    struct rlimit addresses, data;
    return (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY) ||
           (getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur != RLIM_INFINITY);
}

/// Starts the program anew, in the same process, with OPENBLAS_NUM_THREADS=1 unless it has that.
static void start_without_threads(char **arguments, char **environment) {
    static char name[] = "OPENBLAS_NUM_THREADS=", setting[] = "OPENBLAS_NUM_THREADS=1";
    size_t count = 0, next = 0;
    while (environment[count]) {
        if (strcmp(environment[count++], setting) == 0) return;
    }
    char *changed[count + 2];
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environment[i], name, sizeof name - 1) != 0) changed[next++] = environment[i];
    }
    changed[next++] = setting;
    changed[next] = NULL;
    execve("/proc/self/exe", arguments, changed);
}

static void prepare_early(int count, char **arguments, char **environment) {
    (void)count;
    int limited = is_limited();
    // Before signals are blocked, or the mask that child processes get back would hold them.
    if (limited) start_without_threads(arguments, environment);
    platform_hold_requests();
    if (limited) platform_require_memory(needed_by_libraries);
}

// The functions of `.preinit_array` run before every constructor (System V ABI, "Initialization and Termination").
__attribute__((section(".preinit_array"), used)) static void (*const early)(int, char **, char **) = prepare_early;
#endif
