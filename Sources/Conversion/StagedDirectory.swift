import Corpora
package import Diagnostics
import Foundation
package import Paths

/// A directory that appears under its name whole or not at all: written beside it under a hidden name, then renamed.
package struct StagedDirectory {
    package let target: String
    package let staging: String

    /// - Parameter places: what is read, and what else is written
    /// - Throws: `cannotCreate` if `target` exists or its folder cannot be written, `usage` if an output is an input
    package init(_ target: String, beside places: InputsAndOutputs) throws(Failure) {
        let place = URL(fileURLWithPath: target).standardizedFileURL
        self.target = target
        staging = place.deletingLastPathComponent().appendingPathComponent(".staging-\(place.lastPathComponent)").path
        guard !FileManager.default.fileExists(atPath: target) else {
            throw Failure(.cannotCreate, "\(target) exists already", advice: "name a new directory")
        }
        var places = places
        places.writes(target, as: "the output")
        places.writes(staging, as: "where the output is written first", replacesContents: true)
        try places.check()
        try? FileManager.default.removeItem(atPath: staging)
        try makeDirectory(staging)
    }

    /// The last part of the path.
    package var name: String { URL(fileURLWithPath: target).standardizedFileURL.lastPathComponent }

    /// Gives what was written its name.
    /// - Parameter part: only this of what was written; `discard` removes the rest
    package func publish(_ part: String? = nil) throws(Failure) {
        do {
            try FileManager.default.moveItem(atPath: part.map { "\(staging)/\($0)" } ?? staging, toPath: target)
        } catch {
            throw Failure(.cannotCreate, "cannot rename \(staging) to \(target): \(error.localizedDescription)")
        }
    }

    /// Leaves nothing behind; after `publish` there is nothing to leave.
    package func discard() { try? FileManager.default.removeItem(atPath: staging) }
}
