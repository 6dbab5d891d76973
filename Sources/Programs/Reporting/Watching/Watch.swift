package import Diagnostics
package import Foundation
import Platform

/// A live view of a run or of a study.
package struct Watch {
    private enum Subject {
        case run(RunHistory)
        case study(StudyWatch)
    }

    private var subject: Subject

    /// - Throws: `noInput` if `path` is neither a run nor a study
    package init(_ path: String) throws(Failure) {
        let isRun = fileExists("\(path)/metrics.jsonl")
        if !isRun, fileExists("\(path)/queue") || fileExists("\(path)/runs.csv") {
            subject = .study(try StudyWatch(path))
        } else {
            subject = .run(try RunHistory(path))
        }
    }

    /// Reads what has been written since the last call.
    /// - Throws: `noInput` or `inputOutput` if it cannot be read
    package mutating func refresh() throws(Failure) {
        switch subject {
        case .run(var run):
            try run.refresh()
            subject = .run(run)
        case .study(var study):
            try study.refresh()
            subject = .study(study)
        }
    }

    /// Whether nothing more is to come. Never of a study, whose directory does not say how many rows it has.
    package func isFinished(now: Date) -> Bool {
        guard case .run(let run) = subject else { return false }
        return RunProgress(run, now: now).state == .finished
    }

    /// The view, at most as large as the terminal.
    /// - Parameters:
    ///   - size: of the terminal
    ///   - now: the time with which those of the files are compared
    ///   - colored: whether the lines hold codes for colors
    package func lines(_ size: TerminalSize, now: Date, colored: Bool) -> [String] {
        let lines =
            switch subject {
            case .run(let run): RunFrame(run, size, now: now).lines
            case .study(let study): study.lines(size, now: now)
            }
        return lines.map { colored ? $0.escaped : $0.text }
    }
}
