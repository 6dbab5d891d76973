package import Diagnostics

/// Returns the system's description of the last call that failed.
package func systemError() -> String { unsafe String(cString: strerror(errno)) }

extension Failure {
    /// The failure of the system's last call: `message`, followed by the system's reason.
    ///
    /// Where the system refused memory or another open file, the status is `unavailable` and the advice names the limit; a file
    /// that is there and in order is otherwise reported as missing or damaged.
    package init(system status: ExitStatus, _ message: String, advice: String? = nil) {
        let reason = systemError()
        let limit =
            switch errno {
            case ENOMEM: "raise the limit on addresses, for example `ulimit -v unlimited`, or use a smaller file"
            case EMFILE: "raise the limit on open files, for example `ulimit -n 1024`"
            case ENFILE: "the whole system has too many open files: raise fs.file-max"
            default: String?.none
            }
        self.init(limit == nil ? status : .unavailable, "\(message): \(reason)", advice: limit ?? advice)
    }
}
