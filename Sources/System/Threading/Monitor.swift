import Platform

/// A value that threads take turns with, and wait for changes of (Hoare's monitor over POSIX mutex and condition).
@safe package final class Monitor<Value: Sendable>: @unchecked Sendable {
    // Unchecked because `value` is only touched while the mutex is held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Changes the value alone, then wakes all who wait.
    package func update<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// Waits until `ready` returns something; it sees the value after every change.
    package func wait<Result>(until ready: (Value) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = ready(value) { return result }
            unsafe pthread_cond_wait(condition, mutex)
        }
    }

    /// As `wait(until:)`, but no longer than `limit`: nil if nothing was ready by then.
    package func wait<Result>(upTo limit: Duration, until ready: (Value) -> Result?) -> Result? {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &deadline)
        let (seconds, attoseconds) = limit.components
        let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = ready(value) { return result }
            guard unsafe pthread_cond_timedwait(condition, mutex, &deadline) == 0 else { return ready(value) }
        }
    }
}
