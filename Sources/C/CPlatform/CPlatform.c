#include "CPlatform.h"

#include <dlfcn.h>

void platform_single_openmp_thread(void) {
    void (*set_threads)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads) set_threads(1);
}
