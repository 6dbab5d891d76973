package import Diagnostics

/// How much a file may become: a small one that becomes terabytes was made to fill a disk, or is damaged.
///
/// Text becomes 2 to 20 times as much when it is decompressed, gzip's format allows 1,032 times and Zstandard's 30,000.
package struct ExpansionLimit: Sendable {
    /// What any file may become, in bytes.
    private static let alwaysAllowed = 1 << 30
    private static let largestRatio = 500

    private let path: String
    private let most: Int
    private var written = 0

    /// - Parameters:
    ///   - path: for messages
    ///   - stored: the file's own bytes
    package init(of path: String, stored: Int) {
        self.path = path
        let (product, overflows) = stored.multipliedReportingOverflow(by: Self.largestRatio)
        most = overflows ? Int.max : max(Self.alwaysAllowed, product)
    }

    /// Counts `count` further bytes.
    /// - Throws: `data` if they are too many
    package mutating func add(_ count: Int) throws(Failure) {
        written += count
        guard written <= most else {
            throw Failure(
                .data,
                "\(path) becomes more than \(byteCount(most)) when it is decompressed, over \(Self.largestRatio) times its "
                    + "size: no text does",
                advice: "it is damaged, or made to fill a disk; look at its beginning, and leave it out of the corpus")
        }
    }
}
