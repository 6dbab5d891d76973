// Requests to a running job, as signals. A handler may only set a flag: long work looks at it now and then.
#pragma once

enum {
    /// Save a checkpoint and go on (SIGUSR1).
    platform_request_save = 1,
    /// Save a checkpoint and leave (SIGUSR2, SIGTERM).
    platform_request_leave = 2
};

/// From now on the signals set flags instead of ending the process.
void platform_watch_requests(void);

/// The requests that nobody has taken yet.
int platform_pending_requests(void);

/// The requests since the last call; clears them.
int platform_take_requests(void);
