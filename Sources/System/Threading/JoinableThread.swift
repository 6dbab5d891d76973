import CPlatform
import Platform

/// A thread of the operating system that runs one body.
package struct JoinableThread: @unchecked Sendable {
    // Unchecked for Darwin, where the handle is a pointer; any thread may pass it on.
    private let handle: pthread_t

    /// Starts at once. A thread that the system refuses ends the process with a message and code 69.
    package init(_ body: @escaping @Sendable () -> Void) {
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(&thread, nil, { unsafe Body.run($0) }, context)
        if status != 0 { platform_out_of_threads(status) }
        handle = thread
    }

    /// Waits for the body to end; once.
    package func join() { pthread_join(handle, nil) }
}

private final class Body: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    /// - Parameter context: a retained `Body`
    static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().body()
        return nil
    }
}
