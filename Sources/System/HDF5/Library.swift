import CHDF5
import Synchronization

/// The HDF5 library of this process. It keeps its state, errors included, in globals and is not safe for threads, so
/// every call of this module happens inside `call`, one at a time.
enum Library {
    private static let started = Mutex(false)

    /// Runs `body` alone; a negative answer becomes an error with the library's own account of it.
    ///
    /// - Parameters:
    ///   - name: the HDF5 function, for the message
    ///   - subject: file or object it is about
    @discardableResult
    static func call<Answer: SignedInteger>(
        _ name: String, _ subject: @autoclosure () -> String, _ body: () -> Answer
    ) throws(HDF5Error) -> Answer {
        let outcome: (answer: Answer, account: String) = started.withLock { isStarted in
            if !isStarted {
                // At exit the library would close what is still open, and crash where a full disk forbids it.
                H5dont_atexit()
                H5open()
                H5Eset_auto2(shim_default_errors(), nil, nil)
                isStarted = true
            }
            let answer = body()
            return (answer, answer < 0 ? account() : "")
        }
        guard outcome.answer < 0 else { return outcome.answer }
        throw HDF5Error.call(name, subject: subject(), account: outcome.account)
    }

    /// Runs `body`, which calls HDF5's own interface, alone.
    static func alone<Answer>(_ body: () throws -> Answer) throws -> Answer {
        try start()
        return try started.withLock { _ in try body() }
    }

    /// What the error stack says, innermost cause first.
    private static func account() -> String {
        let texts = Texts()
        let visit: H5E_walk2_t = { _, entry, texts in
            guard let text = unsafe entry?.pointee.desc else { return 0 }
            unsafe Texts.at(texts)?.all.append(String(cString: text))
            return 0
        }
        unsafe H5Ewalk2(shim_default_errors(), H5E_WALK_UPWARD, visit, texts.address)
        H5Eclear2(shim_default_errors())
        return texts.all.isEmpty ? "the library gives no reason" : texts.all.prefix(4).joined(separator: "; ")
    }

    /// Wakes the library; harmless when repeated.
    static func start() throws(HDF5Error) { try call("H5open", "HDF5") { 0 } }

    static var isParallel: Bool { shim_is_parallel() != 0 }

    /// `major.minor.release`, for the run record.
    static var version: String {
        var major: UInt32 = 0, minor: UInt32 = 0, release: UInt32 = 0
        _ = unsafe H5get_libversion(&major, &minor, &release)
        return "\(major).\(minor).\(release)"
    }
}

/// Runs calls of HDF5's own interface alone, beside no other of this process: for tests that make files which this module
/// never writes. `body` must not use this module.
package func withHDF5Alone<Answer>(_ body: () throws -> Answer) throws -> Answer { try Library.alone(body) }

/// Texts that a C function hands out one by one.
final class Texts {
    var all: [String] = []

    var address: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    static func at(_ address: UnsafeMutableRawPointer?) -> Texts? {
        unsafe address.map { unsafe Unmanaged<Texts>.fromOpaque($0).takeUnretainedValue() }
    }
}
