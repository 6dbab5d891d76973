import Diagnostics

/// What the leader of a shard file knows about it when it is complete.
struct ShardReport: Equatable, Sendable {
    var digest: FileDigest
    /// In the order of the file's pieces.
    var byteOffsets: [Int]

    /// Reads the file back: what was written by several ranks, or out of order by HDF5, is hashed as it lies there.
    init(of file: ShardFile) throws(Failure) {
        digest = try FileDigest(of: file.path)
        byteOffsets = try file.byteOffsets()
    }

    var line: String {
        ([String(digest.bytes), digest.sha256] + byteOffsets.map(String.init)).joined(separator: " ")
    }

    init(line: String) {
        let words = line.split(separator: " ")
        digest = FileDigest(
            bytes: words.first.flatMap { Int($0) } ?? 0, sha256: words.count > 1 ? String(words[1]) : "")
        byteOffsets = words.dropFirst(2).compactMap { Int($0) }
    }
}

/// What came of writing one shard file.
struct ShardWork: Sendable {
    /// On the rank that leads the file.
    var report: ShardReport?
    var seconds: [(phase: String, seconds: Double)]
}
