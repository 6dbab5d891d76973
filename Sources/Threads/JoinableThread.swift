#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A thread of the operating system that runs one body.
package struct JoinableThread: Sendable {
    #if canImport(Glibc)
        private typealias Handle = pthread_t
    #else
        private typealias Handle = SendableThread
    #endif
    private let handle: Handle

    /// Starts at once.
    package init(_ body: @escaping @Sendable () -> Void) {
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        #if canImport(Glibc)
            var thread = pthread_t()
            let status = unsafe pthread_create(
                &thread, nil,
                { context in
                    unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
                    return nil
                }, context)
            precondition(status == 0, "the system cannot start another thread (error \(status))")
            handle = thread
        #else
            var thread: pthread_t?
            let status = unsafe pthread_create(
                &thread, nil,
                { context in
                    unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                    return nil
                }, context)
            guard status == 0, let thread = unsafe thread else {
                preconditionFailure("the system cannot start another thread")
            }
            handle = unsafe SendableThread(thread: thread)
        #endif
    }

    /// Waits for the body to end; once.
    package func join() {
        #if canImport(Glibc)
            pthread_join(handle, nil)
        #else
            _ = unsafe pthread_join(handle.thread, nil)
        #endif
    }
}

#if !canImport(Glibc)
    private struct SendableThread: @unchecked Sendable { let thread: pthread_t }
#endif

private final class Body: Sendable {
    private let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    func run() { body() }
}
