// Requests to a running job, as signals. They are held back (blocked) in every thread from before `main` on, and one thread
// that does nothing else takes them with `sigwait`: no handler ever runs on a stack that computes, communicates or writes.
// oneDNN's generated code keeps data below the red zone, where a handler's frame overwrites it.
#pragma once

enum {
    /// Save a checkpoint and go on (SIGUSR1).
    platform_request_save = 1,
    /// Save a checkpoint and leave (SIGUSR2, SIGTERM, SIGINT, SIGHUP).
    platform_request_stop = 2
};

/// Blocks the signals that are requests, for this thread and those that it starts; they stay pending. Before any other
/// thread exists; a second call does nothing. SIGUSR1 and SIGUSR2 are taken even if the process was started with them
/// ignored, as `cluster/launch` does until this call; SIGTERM, SIGINT and SIGHUP stay ignored if they were (`nohup`).
/// SIGPIPE is ignored: a write to a closed pipe fails with EPIPE.
void platform_hold_requests(void);

/// Ends what `platform_hold_requests` began, for this thread: a pending signal ends the process now. For programs that
/// answer no requests.
void platform_release_requests(void);

/// Starts the thread that takes the signals; a second call does nothing. A second SIGINT ends the process at once.
/// Returns 0, or an error number.
int platform_watch_requests(void);

/// Notes a request that reached this process by another way than a signal.
void platform_note_request(int request);

/// The requests that were noted and not taken.
int platform_pending_requests(void);

/// The requests since the last call; clears them.
int platform_take_requests(void);

/// Starts a program with the signal mask that this process was started with and default actions for signals.
/// `output`, `errors`: descriptors that become its standard output and error, or -1 for this process's own. `leads_group`: whether
/// it gets a process group of its own.
/// Returns 0 and the process, or an error number.
int platform_spawn(
    const char *path, char *const *arguments, char *const *environment, int output, int errors, int leads_group,
    int *process);
