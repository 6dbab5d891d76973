import Diagnostics

/// `tokenizing 12.0 of 50.0 MB, 1834 documents, 8.1 MB/s, 5 s left`, now and then, in bytes of the files as they are stored.
struct Progress {
    private let verb: String
    private let totalBytes: Int
    /// Where this process began.
    private let first: Int
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now
    private static let interval = Duration.seconds(2)

    /// - Parameter file: the first one that is read
    init(_ verb: String, _ files: [TextFile], from file: Int = 0) {
        self.verb = verb
        first = files[..<file].reduce(0) { $0 + $1.bytes }
        totalBytes = files.reduce(0) { $0 + $1.bytes }
    }

    /// - Parameters:
    ///   - bytes: how many of all files have been read
    ///   - report: takes the line, if it is time for one
    mutating func show(_ bytes: Int, documents: Int, _ report: (String) -> Void) {
        let now = ContinuousClock.now
        guard now - shown >= Self.interval else { return }
        shown = now
        let rate = max(1, Double(bytes - first) / ((now - started) / .seconds(1)))
        let left = max(0, Double(totalBytes - bytes) / rate)
        report(
            "\(verb) \(decimals(Double(bytes) / 1e6, 1)) of \(decimals(Double(totalBytes) / 1e6, 1)) MB, \(documents) documents, "
                + "\(decimals(rate / 1e6, 1)) MB/s, \(Int(left.rounded(.up))) s left")
    }
}
