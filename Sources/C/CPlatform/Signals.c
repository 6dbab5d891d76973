#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "Signals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static atomic_int requests;
static atomic_int is_held, is_watched;
/// The signals that are blocked, and the mask before.
static sigset_t held, original;

void platform_hold_requests(void) {
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};
    struct sigaction action;
    if (atomic_exchange(&is_held, 1)) return;
    sigemptyset(&held);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        // Linux queues a blocked signal even if it is ignored, so `sigwait` would take it against its sender's will.
        int is_request = numbers[i] == SIGUSR1 || numbers[i] == SIGUSR2;
        if (is_request || (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN))
            sigaddset(&held, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &held, &original);
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

void platform_release_requests(void) {
    if (!atomic_load(&is_held)) return;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    // UCX, which Open MPI loads where it is there, takes SIGHUP to print what it does.
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&held, number) == 1) sigaction(number, &action, NULL);
    }
    pthread_sigmask(SIG_UNBLOCK, &held, NULL);
}

static void end_by(int signal) {
    struct sigaction action;
    sigset_t one;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, NULL);
    sigemptyset(&one);
    sigaddset(&one, signal);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(signal);
    _exit(128 + signal);
}

static void *take_signals(void *unused) {
    static const char notice[] = "\nswitchyard: asked to leave; another SIGINT (Ctrl-C) ends the job at once\n";
    int signal, interrupts = 0;
    (void)unused;
    for (;;) {
        if (sigwait(&held, &signal) != 0) continue;
        if (signal == SIGINT && interrupts++ > 0) end_by(signal);
        platform_note_request(signal == SIGUSR1 ? platform_request_save : platform_request_stop);
        if (signal == SIGINT && write(STDERR_FILENO, notice, sizeof notice - 1) < 0) continue;
    }
    return NULL;
}

int platform_watch_requests(void) {
    pthread_t thread;
    int status;
    if (atomic_exchange(&is_watched, 1)) return 0;
    platform_hold_requests();
    status = pthread_create(&thread, NULL, take_signals, NULL);
    return status == 0 ? pthread_detach(thread) : status;
}

void platform_note_request(int request) { atomic_fetch_or(&requests, request); }

int platform_pending_requests(void) { return atomic_load(&requests); }

int platform_take_requests(void) { return atomic_exchange(&requests, 0); }

int platform_spawn(
    const char *path, char *const *arguments, char *const *environment, int output, int errors, int leads_group,
    int *process) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t mask, defaults;
    int status;
    if ((status = posix_spawnattr_init(&attributes)) != 0) return status;
    if ((status = posix_spawn_file_actions_init(&actions)) != 0) {
        posix_spawnattr_destroy(&attributes);
        return status;
    }
    if (atomic_load(&is_held)) mask = original;
    else pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGUSR1);
    sigaddset(&defaults, SIGUSR2);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (leads_group ? POSIX_SPAWN_SETPGROUP : 0));
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (errors >= 0) posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    status = posix_spawn(process, path, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return status;
}
