import Corpora
package import Diagnostics
import Foundation

/// A directory that appears under its name whole or not at all: written beside it under a hidden name, then renamed.
package struct StagedDirectory {
    package let target: String
    package let staging: String

    /// - Throws: `cannotCreate` if `target` exists or its folder cannot be written
    package init(_ target: String) throws(Failure) {
        let place = URL(fileURLWithPath: target).standardizedFileURL
        self.target = target
        staging = place.deletingLastPathComponent().appendingPathComponent(".staging-\(place.lastPathComponent)").path
        guard !FileManager.default.fileExists(atPath: target) else {
            throw Failure(.cannotCreate, "\(target) exists already", advice: "name a new directory")
        }
        try? FileManager.default.removeItem(atPath: staging)
        try makeDirectory(staging)
    }

    package func publish() throws(Failure) {
        do {
            try FileManager.default.moveItem(atPath: staging, toPath: target)
        } catch {
            throw Failure(.cannotCreate, "cannot rename \(staging) to \(target): \(error.localizedDescription)")
        }
    }

    /// Leaves nothing behind; after `publish` there is nothing to leave.
    package func discard() { try? FileManager.default.removeItem(atPath: staging) }
}
