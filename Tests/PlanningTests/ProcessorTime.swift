import Foundation

/// The processor time that the calling thread was given. Other work on the machine does not count.
func processorTime() -> Duration {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

/// By how much longer than on an idle machine a computation takes now: 1 or more. Computes for 20 ms.
func slowness() -> Double {
    let clock = ContinuousClock(), start = clock.now, given = processorTime()
    while processorTime() - given < .milliseconds(20) {}
    return max(1, (clock.now - start) / (processorTime() - given))
}
