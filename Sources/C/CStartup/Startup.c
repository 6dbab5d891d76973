#include "Startup.h"
#include "CPlatform.h"

#include <stdlib.h>

/// A buffer of OpenBLAS 0.3.29 has 128 MiB; what the libraries take besides was measured as less than 32 MiB.
static const long needed_by_libraries = 160L << 20;

void prepare_for_libraries(void) {
    static int is_done;
    if (is_done++) return;
    platform_hold_requests();
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    platform_require_address_space(needed_by_libraries);
}

#ifdef __linux__
// The functions of `.preinit_array` run before every constructor (System V ABI, "Initialization and Termination").
__attribute__((section(".preinit_array"), used)) static void (*const prepare_early)(void) = prepare_for_libraries;
#endif
