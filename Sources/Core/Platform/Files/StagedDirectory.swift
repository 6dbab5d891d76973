package import Diagnostics

/// A directory that appears under its name whole or not at all: written beside it under a hidden name, then renamed.
package struct StagedDirectory {
    package let target: String
    private let directory: StagingDirectory

    package var staging: String { directory.path }

    /// - Parameter places: what is read, and what else is written
    /// - Throws: `cannotCreate` if `target` exists or its folder cannot be written, `usage` if an output is an input
    package init(_ target: String, beside places: InputsAndOutputs) throws(Failure) {
        self.target = target
        var places = places
        places.writes(target, as: "the output")
        try places.check()
        try makeDirectory(splitPath(target).parent)
        directory = try StagingDirectory(for: target)
    }

    /// The last part of the path.
    package var name: String { splitPath(target).name }

    /// Gives what was written its name.
    /// - Parameter part: only this of what was written; `discard` removes the rest
    package func publish(_ part: String? = nil) throws(Failure) { try directory.publish(part) }

    /// Leaves nothing behind; after `publish` there is nothing to leave.
    package func discard() { directory.discard() }
}
