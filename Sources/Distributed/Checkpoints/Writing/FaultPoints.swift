package import Diagnostics
import Platform

/// Where a save can be made to die, for the kill test: `SWITCHYARD_FAULT=POINT[@STEP][:throw]`. Rank 0 kills itself with
/// SIGKILL when it gets there, or with `:throw` fails as if the disk had.
package struct FaultPoints: Sendable {
    package enum Point: String, Sendable, CaseIterable {
        case staging, shards, index, manifest, fsync, rename, retention
    }

    private let point: Point?
    private let step: Int?
    private let isFailure: Bool

    /// None.
    package init() { (point, step, isFailure) = (nil, nil, false) }

    package init(_ text: String) throws(Failure) {
        let isFailure = text.hasSuffix(":throw")
        let words = (isFailure ? text.dropLast(6) : text[...]).split(separator: "@", omittingEmptySubsequences: false)
        let step = words.count == 2 ? Int(words[1]) : nil
        guard let point = words.first.flatMap({ Point(rawValue: String($0)) }), words.count == 1 || step != nil else {
            throw Failure(
                .usage, "SWITCHYARD_FAULT=\(text): expected POINT[@STEP][:throw]",
                advice: "points are " + Point.allCases.map(\.rawValue).joined(separator: ", "))
        }
        (self.point, self.step, self.isFailure) = (point, step, isFailure)
    }

    /// What the environment asks for.
    package static func fromEnvironment() throws(Failure) -> FaultPoints {
        guard let text = unsafe getenv("SWITCHYARD_FAULT") else { return FaultPoints() }
        return try FaultPoints(unsafe String(cString: text))
    }

    /// Dies or fails here if this is the place.
    func inject(_ here: Point, step: Int) throws(Failure) {
        guard point == here, self.step == nil || self.step == step else { return }
        guard isFailure else {
            kill(getpid(), SIGKILL)
            return
        }
        throw Failure(.inputOutput, "SWITCHYARD_FAULT: failing at `\(here.rawValue)`")
    }
}
