#include "CPlatform.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int requests;

static void note_request(int signal) {
    atomic_fetch_or(&requests, signal == SIGUSR1 ? platform_request_save : platform_request_leave);
}

void platform_single_openmp_thread(void) {
    void (*set_threads)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads) set_threads(1);
}

void platform_watch_requests(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_request;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int platform_pending_requests(void) { return atomic_load(&requests); }

int platform_take_requests(void) { return atomic_exchange(&requests, 0); }
