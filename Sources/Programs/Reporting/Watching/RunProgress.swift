import Configuration
import Diagnostics
import Foundation
import Platform
import RunFormat

/// How far a run is, and whether a job trains it.
struct RunProgress {
    enum State: Equatable {
        case finished, training
        /// No job has given a sign of life for so many seconds.
        case silent(Double)
    }

    let state: State
    /// The last step that the run will have; nil where its configuration does not say.
    let lastStep: Int?
    /// Seconds to the end, at the speed of the last steps; nil where nothing tells.
    let secondsLeft: Double?

    /// A job renews its lock every five seconds.
    private static let longestSilence = 15.0

    init(_ run: RunHistory, now: Date) {
        let left = run.configuration.flatMap { Self.stepsLeft($0, run) }
        lastStep = left.map { run.lastStep + $0 }
        let recent = run.records.points.suffix(20).compactMap(\.stepSeconds).sorted()
        secondsLeft = left.flatMap { left in
            recent.isEmpty ? nil : Double(left) * recent[recent.count / 2]
        }
        if left == 0 {
            state = .finished
        } else {
            // A job that ends leaves its lock empty.
            let lock = "\(run.directory.path)/lock"
            let isLocked = ((try? RegularFile(lock).size) ?? 0) > 0
            let signs = [run.directory.metrics, lock].compactMap(modificationDate)
            let silence = signs.max().map { now.timeIntervalSince($0) } ?? .infinity
            state = isLocked && silence <= Self.longestSilence ? .training : .silent(silence)
        }
    }

    private static func stepsLeft(_ yaml: String, _ run: RunHistory) -> Int? {
        guard
            let document = try? ConfigurationDocument(
                yaml: yaml, file: run.directory.configuration, isStored: true),
            let configuration = try? RunConfiguration(document)
        else { return nil }
        let tokens = run.last?.tokens ?? 0
        switch configuration.length.goal {
        case .tokens(let goal): return configuration.batch.steps(from: tokens, to: goal).steps
        case .steps(let steps): return max(0, steps - run.lastStep)
        }
    }
}

private func modificationDate(of path: String) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
}
