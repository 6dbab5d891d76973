import Diagnostics
import Configuration
import Foundation
import Platform
import RunFormat

/// How the jobs of a study are started.
package struct StudyLauncher: Sendable {
    /// Path of this program.
    package let program: String
    package let ranks: Int

    package init(program: String, ranks: Int) {
        (self.program, self.ranks) = (program, ranks)
    }

    /// Ignores requests to save until the program can answer them: before it has begun, they would kill it. `cluster/launch`
    /// does the same.
    private static let patient = ["/bin/sh", "-c", "trap '' USR1 USR2; exec \"$0\" \"$@\""]

    /// Executable and arguments that run this program with `arguments` on the job's ranks. Several jobs share a machine, so that
    /// mpirun must not bind all of them to the same cores.
    func command(_ arguments: [String]) throws(Failure) -> (program: String, arguments: [String]) {
        let words = Self.patient + [program] + arguments
        guard ranks > 1 else { return (words[0], Array(words.dropFirst())) }
        guard let mpirun = executable("mpirun") else {
            throw Failure(
                .unavailable, "there is no mpirun in PATH, which jobs of \(ranks) ranks need",
                advice: "scripts/setup installs Open MPI")
        }
        let launched = Self.patient + [mpirun, "-n", "\(ranks)", "--bind-to", "none"] + words
        return (launched[0], Array(launched.dropFirst()))
    }

    private func executable(_ name: String) -> String? {
        (environmentVariable("PATH") ?? "").split(separator: ":").map { "\($0)/\(name)" }.first {
            unsafe access($0, X_OK) == 0
        }
    }
}

/// The training of one row, in processes of its own.
struct StudyJob {
    let row: StudyRow
    private let running: ChildProcess.Running
    let log: String
    private let directory: RunDirectory

    /// - Parameters:
    ///   - row: of the study
    ///   - directory: where it trains
    ///   - study: where logs and configurations lie
    ///   - launcher: starts it
    init(_ row: StudyRow, in directory: String, of study: StudyDirectory, _ launcher: StudyLauncher) throws(Failure) {
        self.row = row
        self.directory = RunDirectory(directory)
        log = "\(study.queue(row.name))/log.txt"
        try makeDirectory(study.queue(row.name))
        let configuration = try study.writeConfiguration(of: row)
        let place = ConfigurationDocument.override("run.directory", path: directory)
        let command = try launcher.command(["train", escapedPath(configuration), "--set", place])
        do {
            running = try ChildProcess.start(command.program, command.arguments, log: log)
        } catch {
            throw Failure(.unavailable, error.description)
        }
    }

    enum Ending {
        case finished(StudyQueue.Outcome)
        /// Asked to leave, or another job has the run directory.
        case postponed
        case failed(String)
    }

    /// To be repeated until the job has ended: a request that comes while the job starts may have no effect.
    func askToStop() { running.send(SIGUSR2) }

    /// How the job ended; nil while it runs.
    func ending() -> Ending? {
        guard let ending = running.ending() else { return nil }
        switch ending {
        case .exit(ExitStatus.temporaryFailure.rawValue), .exit(ExitStatus.inUse.rawValue): return .postponed
        case .exit(ExitStatus.diverged.rawValue):
            return .finished(StudyQueue.Outcome(results: [], divergence: lastWords))
        case .exit(0):
            do throws(Failure) {
                return .finished(StudyQueue.Outcome(results: try results()))
            } catch {
                if error.status == .diverged {
                    return .finished(StudyQueue.Outcome(results: [], divergence: error.message))
                }
                return .failed(error.description)
            }
        case .exit(let code): return .failed("exit code \(code): \(lastWords)")
        case .signal(let number): return .failed("signal \(number): \(lastWords)")
        }
    }

    private func results() throws(Failure) -> [StudyResult] {
        var results: [StudyResult] = []
        for goal in row.ends { results.append(try StudyResult(row, endingAt: goal, in: directory)) }
        return results
    }

    /// What the log says of the end: the program's last message, without its advice, or else the last line with words.
    private var lastWords: String {
        guard let file = try? RegularFile(log),
            let bytes = try? file.bytes(from: max(0, file.size - 4096), to: file.size)
        else {
            return "no log"
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        let program = "switchyard: "
        if let message = lines.last(where: { $0.hasPrefix(program) }) {
            return visible(String(message.dropFirst(program.count)))
        }
        let said = lines.last { $0.contains { $0.isLetter } }
        return visible(String(said ?? "nothing said").trimmingCharacters(in: .whitespaces))
    }
}
